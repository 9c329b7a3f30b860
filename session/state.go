package session

// State says where a uid's desktop is in its life.
type State string

// The states.
const (
	// Absent has no desktop and is not kept.
	Absent State = "absent"
	// Preparing waits for the image.
	Preparing State = "preparing"
	// Starting has its image, and waits for the desktop to answer.
	Starting State = "starting"
	// Ready answers, and has no client.
	Ready State = "ready"
	// Occupied has clients.
	Occupied State = "occupied"
	// Stopping is being taken away.
	Stopping State = "stopping"
	// Failed has no desktop, and a reason why; it is kept for a while so that
	// one can ask.
	Failed State = "failed"
)

// States lists every state.
func States() []State {
	return []State{Absent, Preparing, Starting, Ready, Occupied, Stopping, Failed}
}

// next is the table of a session's life: which states may follow a state.
func (s State) next() []State {
	switch s {
	case Absent:
		return []State{Preparing, Ready} // Ready: an adopted desktop.
	case Preparing:
		return []State{Starting, Stopping, Failed}
	case Starting:
		return []State{Preparing, Ready, Stopping, Failed} // Preparing: the image was missing after all.
	case Ready:
		return []State{Occupied, Stopping, Failed}
	case Occupied:
		return []State{Ready, Stopping, Failed}
	case Stopping:
		return []State{Absent, Failed}
	case Failed:
		return []State{Absent}
	default:
		return nil
	}
}

// CanBecome tells whether a session in state s may go to state t.
func (s State) CanBecome(t State) bool {
	for _, n := range s.next() {
		if n == t {
			return true
		}
	}
	return false
}

// Running tells whether there is a desktop that answers.
func (s State) Running() bool { return s == Ready || s == Occupied }
