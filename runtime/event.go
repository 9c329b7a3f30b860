package runtime

// EventKind says what an Event tells.
type EventKind string

// The kinds of events. An engine's other ones are left out.
const (
	// EventListening is always the first and about no container: what happens from
	// now on is told.
	EventListening EventKind = "listening"
	// EventStarted says that a container runs.
	EventStarted EventKind = "started"
	// EventExited says that a container does not run any more, for any reason.
	EventExited EventKind = "exited"
	// EventRemoved says that a container is gone.
	EventRemoved EventKind = "removed"
)

// Event is something that happened to a container.
type Event struct {
	Kind EventKind
	ID   ID
	Name string
}
