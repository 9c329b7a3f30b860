// Package runtime is the contract between Sage and a container engine: HOW
// containers run.
//
// It is small and engine-neutral. Whatever must be equal on every engine
// (names, labels, defaults, retries, readiness, choice of ports) is done once
// above it, in package session; a backend translates, calls its engine, and
// translates back. The package must not know sessions, the catalog or HTTP,
// and it imports the standard library only.
//
// The backends are in runtime/docker and runtime/podman, a fake for tests that
// inject faults is in runtime/fake, and all of them pass the one suite in
// runtime/runtimetest.
package runtime

import (
	"context"
	"io"
	"net"
	"time"
)

// Runtime runs containers on one engine.
//
// # Order of calls
//
// A container is made by Create, run by Start, and taken away by Remove; Stop
// before Remove gives its processes the grace to end by themselves, and Remove
// alone kills them. Create needs the image on the engine: EnsureImage brings it
// there. Start is called once in a container's life; starting a running
// container is not an error and changes nothing, starting one that has ended is
// ErrConflict. Dial needs a running container.
//
// # Concurrency
//
// Every method may be called at any time from any number of goroutines, also
// for the same container. A call for one container never waits for a call for
// another, beyond what the engine itself makes it wait. Of several Creates with
// one name at the same time exactly one succeeds and the others give
// ErrConflict.
//
// # Ownership
//
// A backend touches only what it is told to: it finds containers by label, by the
// beginning of their name (List, Events) and by ID, never by a pattern, and it
// keeps no state of its own about them: the engine is the database. A container
// outlives the process that made it; nothing is removed by Close, and no container
// removes itself.
//
// # Contexts
//
// The context governs the request and not the life of the container. When it
// ends, a method returns soon (within a second) with an error that wraps the
// context's own. Whether the engine had carried out the request by then is
// unknown: the caller looks (Inspect, List) or calls the idempotent Stop and
// Remove with a fresh context. For Dial it governs the dialling only.
//
// # Errors
//
// Every error is an *Error whose Kind is one of the sentinels of this package;
// ask with errors.Is. Any method may give ErrUnavailable (the engine does not
// answer; try again later) and ErrInternal (the engine failed in a way that the
// contract has no name for). What else a method may give stands with it.
type Runtime interface {
	// Ping asks the engine whether it answers, and who it is; it is the health
	// check. What it says beyond that may be a minute old.
	//
	// Errors: ErrUnsupported (the engine's API is too old, or too new).
	Ping(ctx context.Context) (Info, error)

	// EnsureImage makes sure that the image is on the engine: it builds or pulls
	// it where it is missing (or, with Build.Digest, outdated) and reports what
	// it does to progress, which may be nil and is called from one goroutine at
	// a time. An image that is there already costs one look-up.
	//
	// Errors: ErrImageNotFound (it is not there and neither pull nor build
	// brought it), ErrInvalid (the reference or the build is malformed).
	EnsureImage(ctx context.Context, req ImageRequest, progress func(Progress)) error

	// Image describes the image that ref names now.
	//
	// Errors: ErrImageNotFound.
	Image(ctx context.Context, ref string) (Image, error)

	// Create makes a container from spec without starting it. It never pulls.
	// Volumes that do not exist are made, without labels; EnsureVolume makes them with
	// labels.
	//
	// After an error there is no container, unless the context ended.
	//
	// Errors: ErrConflict (the name is in use), ErrImageNotFound, ErrInvalid (also
	// for a network that does not exist), ErrPortInUse (engines that reserve ports
	// early), ErrExhausted.
	Create(ctx context.Context, spec Spec) (ID, error)

	// Start runs a created container and returns when its first process runs.
	// After an error the container exists still, and Remove takes it away.
	//
	// Errors: ErrNotFound, ErrPortInUse (a host port of the spec is held by
	// somebody else, on any engine), ErrConflict (it has ended already),
	// ErrInvalid (the program in the image cannot be executed), ErrExhausted.
	Start(ctx context.Context, id ID) error

	// Inspect describes a container as it is now, with every field.
	//
	// Errors: ErrNotFound.
	Inspect(ctx context.Context, id ID) (Container, error)

	// List describes the containers, running or not, that the selector chooses.
	// Some fields are only filled by Inspect; see Container.
	//
	// Errors: ErrInvalid (the selector is empty).
	List(ctx context.Context, selector Selector) ([]Container, error)

	// Events follows what happens to the containers that the selector chooses, and
	// calls notify for each event, from one goroutine at a time, until ctx ends or
	// the engine's stream does. It always returns an error, and does not call notify
	// afterwards. Events are hints: some may be lost, come twice, or tell of a moment
	// before the stream was open. List is the truth.
	//
	// Errors: ErrCanceled (ctx ended), ErrUnavailable (the stream ended, or was not
	// to be had), ErrInvalid (the selector is empty).
	Events(ctx context.Context, selector Selector, notify func(Event)) error

	// Stop asks the container's processes to end (SIGTERM to the first one) and
	// kills them after grace, which is rounded up to whole seconds. It returns
	// when the container does not run any more. Stopping one that does not run,
	// or that does not exist, succeeds.
	Stop(ctx context.Context, id ID, grace time.Duration) error

	// Remove takes a container away, killing its processes, and returns when its
	// name is free again. Named volumes stay. Removing one that does not exist
	// succeeds.
	Remove(ctx context.Context, id ID) error

	// Logs gives the last lines of what the container wrote, standard output and
	// standard error together, at most the given number of lines and 64 KiB. The
	// order of lines is kept within each of the two, not between them.
	//
	// Errors: ErrNotFound.
	Logs(ctx context.Context, id ID, lines int) ([]byte, error)

	// FollowLogs writes to w what Logs gives, and then what the container writes,
	// until it ends, ctx ends, or w gives an error. Lines may come in pieces. It
	// does not write after it has returned.
	//
	// Errors: ErrNotFound, ErrCanceled (ctx ended); what w gave is wrapped.
	FollowLogs(ctx context.Context, id ID, lines int, w io.Writer) error

	// Stats tells what a running container uses, in one answer of the engine.
	//
	// Errors: ErrNotFound, ErrConflict (the container does not run),
	// ErrUnsupported (see Capabilities.Stats; it comes before the others).
	Stats(ctx context.Context, id ID) (Stats, error)

	// Dial connects to a TCP port inside the container by the shortest way that
	// the engine offers: the container's address on a network that this process is
	// on, or any where that can be reached from here, else the published port. The connection stays open when ctx ends.
	//
	// Errors: ErrNotFound, ErrConflict (the container does not run),
	// ErrRefused (nothing listens on that port yet), ErrInvalid (the port is
	// neither published nor reachable).
	Dial(ctx context.Context, id ID, port uint16) (net.Conn, error)

	// Route finds the way that Dial takes to a TCP port of a running container. Its use
	// asks the engine nothing, so that whoever waits for a port to listen can try often.
	//
	// Errors: ErrNotFound, ErrConflict (the container does not run), ErrInvalid (the
	// port is neither published nor reachable).
	Route(ctx context.Context, id ID, port uint16) (Route, error)

	// Volume describes a named volume.
	//
	// Errors: ErrNotFound.
	Volume(ctx context.Context, name string) (Volume, error)

	// EnsureVolume makes a named volume with labels where there is none of that name,
	// and describes the one that is there then. A volume that was there before keeps
	// its own labels: comparing them tells whether this call made it. Of several calls
	// for one name at the same time exactly one makes it.
	//
	// Errors: ErrInvalid (the name), ErrExhausted.
	EnsureVolume(ctx context.Context, name string, labels map[string]string) (Volume, error)

	// RemoveVolume deletes a named volume and what is in it. Removing one that
	// does not exist succeeds.
	//
	// Errors: ErrConflict (a container uses it).
	RemoveVolume(ctx context.Context, name string) error

	// Close frees the connections to the engine. Containers go on.
	Close() error
}
