package session

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of errors, a closed list. Ask with errors.Is; an engine's errors
// shine through with the kinds of package runtime.
var (
	// ErrInvalidUID says that a uid cannot name a desktop; see UIDError.
	ErrInvalidUID = errors.New("not a valid uid")
	// ErrUnknownApp says that the catalog has no such app.
	ErrUnknownApp = errors.New("unknown app")
	// ErrNoSettings says that a uid without a running desktop and without saved
	// settings was to be started without naming an app.
	ErrNoSettings = errors.New("nothing is known of this uid")
	// ErrNotRunning says that a uid has no desktop.
	ErrNotRunning = errors.New("container not running")
	// ErrUnknownStream says that no desktop has such a stream token.
	ErrUnknownStream = errors.New("no such stream")
	// ErrUnknownEndpoint says that a desktop has no endpoint of that name.
	ErrUnknownEndpoint = errors.New("no such endpoint")
	// ErrViewOnly says that a view-only link was used for more than looking.
	ErrViewOnly = errors.New("this link is for looking only")
	// ErrTooManyViewers says that a view-only link has as many streams as it may have.
	ErrTooManyViewers = errors.New("too many look at this desktop by its view-only link")
	// ErrNoPicture says that there is no picture of a uid's desktop.
	ErrNoPicture = errors.New("no picture")
	// ErrPortsExhausted says that every port of the range is taken; see
	// PortsError.
	ErrPortsExhausted = errors.New("no free port in the range")
	// ErrStartFailed says that a desktop did not come up; see StartError.
	ErrStartFailed = errors.New("desktop did not start")
	// ErrStartTimeout says that a desktop did not come up in time; it comes with
	// ErrStartFailed.
	ErrStartTimeout = errors.New("start timed out")
	// ErrAtCapacity says that there are as many desktops as there may be; see
	// CapacityError.
	ErrAtCapacity = errors.New("no room for another desktop")
	// ErrQueueTimeout says that a start waited too long for others; it comes with
	// ErrStartFailed.
	ErrQueueTimeout = errors.New("too many starts at once")
	// ErrStopped says that a desktop was stopped while it was waited for.
	ErrStopped = errors.New("desktop was stopped")
	// ErrClosing says that the daemon is going down.
	ErrClosing = errors.New("sage is shutting down")
	// ErrStore says that saved settings could not be read or written.
	ErrStore = errors.New("saved settings")
)

// UIDError says what is wrong with a uid. It is ErrInvalidUID.
type UIDError struct {
	// UID is the uid, cut to MaxUIDLength.
	UID string
	// Problem is what is wrong, to be read after the uid.
	Problem string
}

func (e *UIDError) Error() string {
	return fmt.Sprintf("uid %q %s: use 1 to %d letters, digits, '-', '_' and '.'", e.UID, e.Problem, MaxUIDLength)
}

// Unwrap gives ErrInvalidUID.
func (e *UIDError) Unwrap() error { return ErrInvalidUID }

// PortsError says why there is no port. It is ErrPortsExhausted.
type PortsError struct {
	// Start and End are the range; End is not in it.
	Start, End int
	// Leased ports belong to desktops of this daemon, Held ones to strangers.
	Leased, Held int
	// Wanted is how many the app needs.
	Wanted int
}

func (e *PortsError) Error() string {
	return fmt.Sprintf("no free port: %d wanted, of the %d in [%d, %d) %d are used by desktops and %d by other programs: "+
		"stop desktops or widen PORT_RANGE_START and PORT_RANGE_END",
		e.Wanted, e.End-e.Start, e.Start, e.End, e.Leased, e.Held)
}

// Unwrap gives ErrPortsExhausted.
func (e *PortsError) Unwrap() error { return ErrPortsExhausted }

// CapacityError says how many desktops there may be. It is ErrAtCapacity.
type CapacityError struct {
	// Limit is the setting, Current how many there are, with those that come up or
	// go away.
	Limit, Current int
}

func (e *CapacityError) Error() string {
	return fmt.Sprintf("%v: there are %d, and %d are allowed: stop one or raise SAGE_MAX_DESKTOPS", ErrAtCapacity, e.Current, e.Limit)
}

// Unwrap gives ErrAtCapacity.
func (e *CapacityError) Unwrap() error { return ErrAtCapacity }

// Phase is what a start is about, or was when something went wrong.
type Phase string

// The phases, in the order of a start. One whose image is missing comes from
// PhaseCreate to PhaseImage, and may wait again after it.
const (
	// PhaseQueued waits until fewer starts are at work.
	PhaseQueued   Phase = "queued"
	PhaseSettings Phase = "settings"
	PhaseImage    Phase = "image"
	PhaseCreate   Phase = "create"
	PhaseStart    Phase = "start"
	PhaseReady    Phase = "ready"
	// PhaseRunning is after the start: the desktop ended by itself.
	PhaseRunning Phase = "running"
)

// StartError says how far a start came and why it ended there. It is
// ErrStartFailed and whatever Err is.
type StartError struct {
	UID, App string
	Phase    Phase
	// After is how long the phase had lasted.
	After time.Duration
	// ExitCode is that of the desktop's program, where Exited.
	Exited   bool
	ExitCode int
	// OOMKilled says that it was ended for using more memory than it may.
	OOMKilled bool
	// Log is the tail of what the container wrote.
	Log []string
	// Err is the cause; nil where the program ended by itself.
	Err error
}

func (e *StartError) Error() string {
	what := fmt.Sprintf("desktop of %q (%s) failed in phase %s after %s", e.UID, e.App, e.Phase, e.After.Round(time.Millisecond))
	switch {
	case e.OOMKilled:
		return what + ": its program used more memory than the app may and was killed: raise limits.memory in the catalog"
	case e.Exited:
		return fmt.Sprintf("%s: its program ended by itself with exit code %d", what, e.ExitCode)
	default:
		return fmt.Sprintf("%s: %v", what, e.Err)
	}
}

// Unwrap gives ErrStartFailed and the cause.
func (e *StartError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrStartFailed}
	}
	return []error{ErrStartFailed, e.Err}
}
