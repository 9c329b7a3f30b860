package session

import (
	"context"
	"errors"
	"time"
)

// Observer is told what a Manager does, for metrics and traces. Its methods may
// be called from any number of goroutines, some under the Manager's lock: they
// return at once and do not call the Manager.
type Observer interface {
	// Started is told of every start that has ended, well or not. Desktops that
	// are adopted are no starts.
	Started(StartReport)
	// Pictured is told when a desktop's first client has been sent a picture, and
	// how long after the beginning of the start that was.
	Pictured(app string, after time.Duration)
	// Stopping is told when a desktop that ran begins to be taken away.
	Stopping(app string, reason StopReason)
}

// Outcome says how a start ended.
type Outcome string

// The outcomes of a start.
const (
	OutcomeReady  Outcome = "ready"
	OutcomeFailed Outcome = "failed"
	// OutcomeStopped is for one that was stopped, or ended with the daemon.
	OutcomeStopped Outcome = "stopped"
)

// StartReport describes a start that has ended.
type StartReport struct {
	UID, App     string
	Began, Ended time.Time
	// Phases are in their order; a phase may come twice, when the engine says that
	// an image is missing or that a port is taken.
	Phases  []PhaseReport
	Outcome Outcome
	// Err is why it failed; nil for the other outcomes.
	Err error
}

// PhaseReport is the time of one phase of a start.
type PhaseReport struct {
	Phase        Phase
	Began, Ended time.Time
}

// StopReason says why a desktop that ran is taken away.
type StopReason string

// The reasons, as the log says them.
const (
	StopNoClient StopReason = "no client came"
	StopIdle     StopReason = "its clients have left"
	StopLifetime StopReason = "its lifetime is over"
	StopRequest  StopReason = "stopped by request"
	StopRestart  StopReason = "restarted by request"
	// StopUntouched is for desktops with clients that only look.
	StopUntouched StopReason = "nobody has touched it"
	StopEnded     StopReason = "it does not run any more"
)

// Pictured says that the client has been sent a picture.
func (a *Attachment) Pictured() {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	// An adopted one's start was another daemon's.
	if a.d.pictured || a.d.attempt == nil || a.Endpoint != a.d.primary() {
		return
	}
	a.d.pictured = true
	a.m.opts.Observer.Pictured(a.d.app, time.Since(a.d.created))
}

// report tells the observer how the launch has ended.
func (l *launch) report(ctx context.Context, err error) {
	if l.plan.app == nil {
		return // It was adopted.
	}
	now := time.Now()
	l.endPhase(now)
	r := StartReport{UID: l.d.uid, App: l.d.app, Began: l.d.created, Ended: now, Phases: l.phases, Outcome: OutcomeReady}
	switch {
	case err == nil:
	case ended(ctx, err) != nil:
		r.Outcome = OutcomeStopped
	default:
		r.Outcome, r.Err = OutcomeFailed, err
	}
	l.m.opts.Observer.Started(r)
}

// endPhase takes down the phase that has ended.
func (l *launch) endPhase(now time.Time) {
	if l.phase != "" {
		l.phases = append(l.phases, PhaseReport{l.phase, l.since, now})
	}
}

// ended gives ErrStopped or ErrClosing where one of them ended a start, and not
// a failure; else nil.
func ended(ctx context.Context, err error) error {
	for _, end := range []error{ErrStopped, ErrClosing} {
		if errors.Is(err, end) || errors.Is(context.Cause(ctx), end) {
			return end
		}
	}
	return nil
}

// unobserved is the Observer of a Manager that was given none.
type unobserved struct{}

func (unobserved) Started(StartReport)            {}
func (unobserved) Pictured(string, time.Duration) {}
func (unobserved) Stopping(string, StopReason)    {}
