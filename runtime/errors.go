package runtime

import (
	"errors"
	"fmt"
)

// The kinds of errors, a closed list. Ask with errors.Is.
var (
	// ErrNotFound says that there is no such container or volume.
	ErrNotFound = errors.New("not found")
	// ErrImageNotFound says that the image is not on the engine and could not be
	// brought there.
	ErrImageNotFound = errors.New("image not found")
	// ErrConflict says that the name is in use or the object's state forbids the
	// call.
	ErrConflict = errors.New("conflict")
	// ErrPortInUse says that a host port is held by somebody else.
	ErrPortInUse = errors.New("host port in use")
	// ErrInvalid says that the request can never succeed as it is.
	ErrInvalid = errors.New("invalid request")
	// ErrUnavailable says that the engine cannot be reached or does not answer.
	ErrUnavailable = errors.New("engine unavailable")
	// ErrExhausted says that the host has no more room, memory or addresses.
	ErrExhausted = errors.New("resources exhausted")
	// ErrUnsupported says that this engine cannot do that here.
	ErrUnsupported = errors.New("not supported by this engine")
	// ErrRefused says that nothing listens on the port inside the container.
	ErrRefused = errors.New("connection refused")
	// ErrCanceled says that the caller's context ended first, by a cancel or by its
	// deadline.
	ErrCanceled = errors.New("canceled by the caller")
	// ErrInternal says that the engine failed in a way without a kind of its own.
	ErrInternal = errors.New("engine failure")
)

// Error is the error of every method of a Runtime.
type Error struct {
	// Op is the method in lower case, for example "create" or "ensureimage".
	Op string
	// Backend is the backend's name.
	Backend string
	// ID is the container, image or volume that it was about; may be empty.
	ID string
	// Kind is one of the sentinels of this package.
	Kind error
	// Err is the engine's own error; may be nil.
	Err error
}

// Error says what failed, for what, and the engine's own words.
func (e *Error) Error() string {
	subject := ""
	if e.ID != "" {
		subject = " " + short(e.ID)
	}
	if e.Err == nil {
		return fmt.Sprintf("%s %s%s: %v", e.Backend, e.Op, subject, e.Kind)
	}
	return fmt.Sprintf("%s %s%s: %v: %v", e.Backend, e.Op, subject, e.Kind, e.Err)
}

// Unwrap gives the kind and the engine's error to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// short cuts a container's identifier to the length that engines print.
func short(id string) string {
	const printed = 12
	if len(id) != 64 {
		return id
	}
	return id[:printed]
}
