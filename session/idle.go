package session

import (
	"time"

	"sage/catalog"
)

// policy are the times of one desktop; the app's own come before the daemon's.
type policy struct {
	start, firstClient, idle, stop time.Duration
	// maxLifetime and inputIdle are zero for no limit.
	maxLifetime, inputIdle time.Duration
}

func (m *Manager) policyOf(app *catalog.App) policy {
	var t catalog.Timeouts
	if app != nil { // An adopted desktop's app may have left the catalog.
		t = app.Timeouts
	}
	choose := func(own catalog.Duration, general time.Duration) time.Duration {
		if own != 0 {
			return own.Std()
		}
		return general
	}
	return policy{
		start:       choose(t.Start, m.opts.StartTimeout),
		firstClient: choose(t.FirstClient, m.opts.FirstClientGrace),
		idle:        choose(t.Idle, m.opts.IdleTimeout),
		stop:        choose(t.Stop, m.opts.StopGrace),
		maxLifetime: choose(t.MaxLifetime, m.opts.MaxLifetime),
		inputIdle:   t.InputIdle.Std(),
	}
}

// idleDeadline is when a desktop without clients is to be stopped.
func (d *desktop) idleDeadline() time.Time {
	if d.left.IsZero() {
		return d.ready.Add(d.policy.firstClient)
	}
	return d.left.Add(d.policy.idle)
}

// expired tells whether a running desktop's time is over at now, and why. It
// looks at the desktop only.
func (d *desktop) expired(now time.Time) (reason StopReason, over bool) {
	switch {
	case d.policy.maxLifetime > 0 && !now.Before(d.born.Add(d.policy.maxLifetime)):
		return StopLifetime, true
	case d.untouched(now):
		return StopUntouched, true
	case d.clients > 0 || now.Before(d.idleDeadline()):
		return "", false
	case d.left.IsZero():
		return StopNoClient, true
	default:
		return StopIdle, true
	}
}

// untouched tells whether nobody has touched the desktop for too long, although
// there are clients. What was before they came is not held against them.
func (d *desktop) untouched(now time.Time) bool {
	if d.policy.inputIdle == 0 || d.desk == nil || d.clients == 0 {
		return false
	}
	since := d.came
	if last := d.desk.LastInput(); last.After(since) {
		since = last
	}
	return !now.Before(since.Add(d.policy.inputIdle))
}
