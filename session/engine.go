package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sage/runtime"
)

const (
	// listTimeout bounds the question what containers there are. An engine that
	// does not answer it counts as away, so it is generous: a busy one is slow.
	listTimeout = 20 * time.Second
	// handOutTimeout bounds the look at a container whose address is handed out: a
	// person waits.
	handOutTimeout = 2 * time.Second
	// listenAgain is the pause before events are asked for again.
	listenAgain = time.Second
)

// outage is the engine's next time away, or its present one.
type outage struct {
	begun chan struct{} // closed when it has
	err   error         // set before begun is closed
}

func newOutage() *outage { return &outage{begun: make(chan struct{})} }

// error says why the engine is away; nil while it answers.
func (o *outage) error() error {
	select {
	case <-o.begun:
		return o.err
	default:
		return nil
	}
}

// refusal says why requests that need the engine are refused now, all or those for
// uid, and has it looked at again soon; nil while it answers. The Manager's lock is
// held.
func (m *Manager) refusal(uid string) error {
	err := m.outage.error()
	if err == nil {
		err = m.unmet[uid]
	}
	if err != nil {
		m.reconcileSoon()
	}
	return err
}

// list asks the engine for this daemon's containers, and takes down that it does
// not answer.
func (m *Manager) list(ctx context.Context) ([]runtime.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	containers, err := m.rt.List(ctx, m.opts.selector())
	if err = unanswered(ctx, err); err != nil {
		m.noteAway(err)
	}
	return containers, err
}

// noteAway takes down that the engine is away. Meanwhile requests that need it are
// refused at once, and those that wait for it are released.
func (m *Manager) noteAway(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if errors.Is(err, runtime.ErrCanceled) || m.outage.error() != nil {
		return
	}
	m.log.Error("container engine does not say what containers there are", "error", err)
	// Whatever its reason: who does not know the desktops must not start others.
	m.outage.err = fmt.Errorf("%w since %s: %w", runtime.ErrUnavailable, time.Now().UTC().Format(time.RFC3339), err)
	close(m.outage.begun)
}

// noteKnown takes down that the desktops are known, all but those of some uids.
func (m *Manager) noteKnown(unmet map[string]error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unmet = unmet
	if m.outage.error() != nil {
		m.log.Info("container engine answers again")
		m.outage = newOutage()
	}
}

// unanswered explains the error of an engine call whose ctx has ended: an engine
// that does not answer in time is away.
func unanswered(ctx context.Context, err error) error {
	if err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, runtime.ErrUnavailable) {
		return because(ctx, err)
	}
	return fmt.Errorf("%w: no answer in time: %w", runtime.ErrUnavailable, err)
}

// listen follows the engine's events until ctx ends. They only make reconciling
// come sooner: what they miss is found by its own rounds.
func (m *Manager) listen(ctx context.Context) {
	for {
		err := m.rt.Events(ctx, m.opts.selector(), m.heed)
		m.log.Debug("the engine's events have ended", "error", err)
		m.reconcileSoon()
		select {
		case <-ctx.Done():
			return
		case <-time.After(listenAgain):
		}
	}
}

// heed takes an event for what it is, a hint.
func (m *Manager) heed(e runtime.Event) {
	switch e.Kind {
	case runtime.EventListening: // What happened before was told to nobody.
		m.reconcileSoon()
	case runtime.EventExited, runtime.EventRemoved:
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, d := range m.desktops {
			if d.id == e.ID {
				m.lookSoon(d)
			}
		}
	}
}

// lookSoon looks at the container of a running desktop, which has perhaps ended. A
// round of reconciling would ask for the list, which may lag behind. The Manager's
// lock is held.
func (m *Manager) lookSoon(d *desktop) {
	if m.closing || !d.state.Running() {
		return
	}
	m.work.Go(func() {
		if _, err := m.confirmEnded(m.ctx, d); err != nil {
			m.reconcileSoon()
		}
	})
}

// stillRuns reports whether a running desktop's container runs, so that nobody gets
// the address of one that has ended a moment ago. A client's open stream is proof
// enough; else the engine is asked, once for all who want to know at that moment.
// Where it does not answer soon, the desktop counts as running. The Manager's lock is
// held, but not while the engine is asked.
func (m *Manager) stillRuns(ctx context.Context, d *desktop) bool {
	if d.clients > 0 || m.outage.error() != nil {
		return d.state.Running()
	}
	look := m.looks.DoChan(string(d.id), func() (any, error) {
		ctx, cancel := context.WithTimeout(m.ctx, handOutTimeout)
		defer cancel()
		return m.confirmEnded(ctx, d)
	})
	m.mu.Unlock()
	select {
	case <-look: // Without an answer nothing is known.
	case <-ctx.Done():
	}
	m.mu.Lock()
	return d.state.Running()
}
