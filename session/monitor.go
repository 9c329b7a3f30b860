package session

import (
	"context"
	"sync"
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
// engine true, until ctx ends or the Manager is closed.
func (m *Manager) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.ctx, cancel)()
	// Each on its own: an engine that hangs stops no clock.
	var loops sync.WaitGroup
	loops.Go(func() { m.watchClocks(ctx) })
	loops.Go(func() { m.reconcileNowAndThen(ctx) })
	loops.Go(func() { m.listen(ctx) })
	loops.Wait()
}

func (m *Manager) watchClocks(ctx context.Context) {
	tick := time.NewTicker(idleInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			m.stopExpired(now)
		}
	}
}

func (m *Manager) reconcileNowAndThen(ctx context.Context) {
	tick := time.NewTicker(m.opts.ReconcileInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.kick:
		}
		_, _ = m.Reconcile(ctx) // It logs what it met, and comes again.
	}
}

// reconcileSoon asks for a round of reconciling before its time.
func (m *Manager) reconcileSoon() {
	select {
	case m.kick <- struct{}{}:
	default: // Somebody has asked already.
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
