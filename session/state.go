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

// transition is one row of the table of a session's life.
type transition struct {
	from, to State
	// when says what makes a session go that way.
	when string
}

// transitions is the table of a session's life; what is not in it cannot
// happen. The diagram in docs/architecture.md is made from it.
func transitions() []transition {
	return []transition{
		{Absent, Preparing, "start"},
		{Absent, Starting, "adopted, and does not answer yet"},
		{Absent, Ready, "adopted"},
		{Absent, Stopping, "purge"},
		{Preparing, Starting, "created"},
		{Preparing, Stopping, "failure or stop"},
		{Starting, Preparing, "image missing"},
		{Starting, Ready, "the desktop answers"},
		{Starting, Stopping, "failure or stop"},
		{Ready, Occupied, "first client"},
		{Ready, Stopping, "idle, stop, lifetime or its own end"},
		{Occupied, Ready, "last client has left"},
		{Occupied, Stopping, "stop, lifetime or its own end"},
		{Stopping, Absent, "gone"},
		{Stopping, Failed, "gone, with a reason"},
		{Failed, Absent, "next start, stop, or forgotten"},
	}
}

// CanBecome tells whether a session in state s may go to state t.
func (s State) CanBecome(t State) bool {
	for _, row := range transitions() {
		if row.from == s && row.to == t {
			return true
		}
	}
	return false
}

// Running tells whether there is a desktop that answers.
func (s State) Running() bool { return s == Ready || s == Occupied }
