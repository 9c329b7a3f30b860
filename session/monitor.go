package session

import (
	"context"
	"time"
)

const (
	// idleInterval is how often the clocks are looked at, and so how late an
	// idle stop can be.
	idleInterval = 100 * time.Millisecond
	// failureKept is how long a failure can be asked for.
	failureKept = 10 * time.Minute
)

// Run stops desktops whose time is over and keeps the Manager's picture of the
// engine true, until ctx ends.
func (m *Manager) Run(ctx context.Context) {
	idle := time.NewTicker(idleInterval)
	defer idle.Stop()
	reconcile := time.NewTicker(m.opts.ReconcileInterval)
	defer reconcile.Stop()
	done := make(chan struct{}, 1) // One round of reconciling at a time.
	done <- struct{}{}
	round := func() {
		select {
		case <-done:
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.closing {
				return // Close waits for what began before it, and nothing else may.
			}
			m.work.Go(func() {
				_, _ = m.Reconcile(ctx) // It logs what it met, and comes again.
				done <- struct{}{}
			})
		default:
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-idle.C:
			m.stopExpired(now)
		case <-reconcile.C:
			round()
		case <-m.kick:
			round()
		}
	}
}

// reconcileSoon asks for a round of reconciling before its time.
func (m *Manager) reconcileSoon() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// stopExpired begins to stop what has expired. Looking and stopping happen
// under one lock, so a client that arrives is either counted before or starts
// the desktop anew.
func (m *Manager) stopExpired(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closing {
		return
	}
	for _, d := range m.desktops {
		switch {
		case d.state.Running():
			if reason, over := d.expired(now); over {
				m.takeDown(d, reason, nil)
			}
		case d.state == Failed && now.Sub(d.failed) > failureKept:
			m.forget(d)
		}
	}
}
