package runtime

// EventKind says what an Event tells.
type EventKind string

// The kinds of events. An engine's other ones are left out.
const (
	// EventListening is about no container. It is always the first and comes once:
	// the stream is open, and what happens from now on is told.
	EventListening EventKind = "listening"
	// EventStarted says that a container runs.
	EventStarted EventKind = "started"
	// EventExited says that a container does not run any more: by itself, stopped,
	// or killed, by the kernel for want of memory, too.
	EventExited EventKind = "exited"
	// EventRemoved says that a container is gone.
	EventRemoved EventKind = "removed"
)

// Event is something that happened to a container.
type Event struct {
	Kind EventKind
	// ID and Name are the container's; both are empty for EventListening.
	ID   ID
	Name string
}
