package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sync/errgroup"

	"sage/runtime"
)

const (
	// callTimeout bounds one engine call beyond the grace that it gives.
	callTimeout = 30 * time.Second
	// retryFirst and retryMost are the pauses between attempts to take a
	// container away from an engine that does not answer.
	retryFirst, retryMost = time.Second, 15 * time.Second
	// stopsAtOnce is how many desktops StopAll takes away at the same time.
	stopsAtOnce = 16
)

// StopOptions say how a desktop is stopped.
type StopOptions struct {
	// Purge deletes the home volume and the saved settings, too.
	Purge bool
}

// purge is the deletion of what is kept of a uid, as a part of Stopping.
type purge struct {
	wanted bool
	// found says that there was something, err why it is there still.
	found bool
	err   error
}

// Stop takes uid's desktop away and returns when it is gone. A start that is
// under way is ended. The home stays, unless it is purged; a start that comes
// meanwhile waits until all of it is done.
//
// Errors: ErrInvalidUID, ErrNotRunning (there was nothing to stop and nothing
// to purge), runtime.ErrConflict (a stranger's container uses the home),
// runtime.ErrUnavailable, ErrClosing, or the context's own. What has begun goes
// on after the last three.
func (m *Manager) Stop(ctx context.Context, uid string, opts StopOptions) error {
	if err := CheckUID(uid); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	refusal := m.refusal(uid)
	d := m.desktops[uid]
	had := d != nil
	if had && d.state == Failed {
		m.forget(d)
		d = nil
	}
	switch {
	case !had && refusal != nil: // It may have a desktop that is not known yet.
		return refusal
	case d == nil && !opts.Purge && had:
		return nil
	case d == nil && !opts.Purge:
		return ErrNotRunning
	case d != nil && d.state == Stopping: // Wait with the others.
		d.next = nil
	case m.closing:
		return ErrClosing
	case refusal != nil:
		return refusal
	case d == nil:
		d = m.occupyName(uid)
	case d.state.Running():
		m.takeDown(d, StopRequest, nil)
	default: // Preparing or Starting
		m.setState(d, Stopping)
		d.attempt.cancel(ErrStopped)
	}
	d.purge.wanted = d.purge.wanted || opts.Purge
	for d.state == Stopping {
		if err := m.awaitChange(ctx, d, m.idle); err != nil {
			return err
		}
	}
	if !opts.Purge {
		return nil
	}
	if d.purge.err == nil && !d.purge.found && !had {
		return ErrNotRunning
	}
	return d.purge.err
}

// StopAll stops every desktop and returns when all are gone, or when ctx ends.
//
// Errors: those of Stop, of every desktop that could not be stopped.
func (m *Manager) StopAll(ctx context.Context) error {
	var work errgroup.Group
	work.SetLimit(stopsAtOnce)
	desktops := m.List()
	problems := make([]error, len(desktops))
	for i, s := range desktops {
		work.Go(func() error {
			if err := m.Stop(ctx, s.UID, StopOptions{}); err != nil && !errors.Is(err, ErrNotRunning) {
				problems[i] = fmt.Errorf("stop %q: %w", s.UID, err)
			}
			return nil // Every one is tried, whatever becomes of the others.
		})
	}
	_ = work.Wait()
	return multierror.Append(nil, problems...).ErrorOrNil()
}

// occupyName lets a uid that has no desktop be Stopping, while what is kept of
// it is deleted. The Manager's lock is held.
func (m *Manager) occupyName(uid string) *desktop {
	d := &desktop{uid: uid, state: Absent, changed: make(chan struct{})}
	m.desktops[uid] = d
	m.setState(d, Stopping)
	m.work.Go(func() { m.clearAway(d, func() error { return nil }, nil) })
	return d
}

// takeDown begins to take a running desktop away; afterwards it is Absent, or
// Failed where a failure is given. The Manager's lock is held.
func (m *Manager) takeDown(d *desktop, reason StopReason, failure *StartError) {
	m.setState(d, Stopping)
	d.cancel(ErrStopped) // Ends the streams.
	m.opts.Observer.Stopping(d.app, reason)
	m.log.Info("desktop is being stopped", "uid", d.uid, "app", d.app, "reason", reason)
	id, grace := d.id, d.policy.stop
	m.work.Go(func() {
		kept := func() {}
		if failure == nil {
			kept = m.keepPicture(d)
		}
		m.clearAway(d, func() error {
			err := m.tryRemove(id, grace, failure)
			kept()
			return err
		}, failure)
	})
}

// clearAway carries Stopping out: it calls remove until that succeeds, deletes
// what is kept of the uid where that is wanted, and lets the uid be Absent, or
// Failed where a failure is given; a restarted one is begun anew at once. A daemon
// that goes down leaves the container to the next one.
func (m *Manager) clearAway(d *desktop, remove func() error, failure *StartError) {
	if !m.insist(d.uid, remove) {
		return
	}
	// From now on a copy of the container is not believed.
	if err := m.store.removeRecord(d.uid); err != nil {
		m.log.Error("record of a desktop that is gone was not removed", "uid", d.uid, "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.purge.wanted {
		m.mu.Unlock()
		found, err := m.deleteKept(d.uid)
		m.mu.Lock()
		d.purge.found, d.purge.err = found, err
	}
	m.ports.release(d.uid, d.hostPorts)
	delete(m.tokens, d.token)
	delete(m.tokens, viewTokenOf(d.token))
	if failure == nil {
		m.forget(d)
		if d.next != nil && !m.closing {
			d.successor = m.begin(d.uid, *d.next)
		}
		return
	}
	m.fail(d, failure)
	m.log.Warn("desktop failed", "uid", d.uid, "app", d.app, "error", failure)
}

// insist calls remove until it succeeds and does not give up while the Manager
// lives; it tells whether it has succeeded.
func (m *Manager) insist(uid string, remove func() error) bool {
	pause := retryFirst
	for {
		err := remove()
		if err == nil {
			return true
		}
		m.log.Error("container could not be taken away, trying again", "uid", uid, "in", pause, "error", err)
		m.reconcileSoon() // Is it the engine?
		select {
		case <-m.ctx.Done():
			return false
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMost)
	}
}

// tryRemove stops and removes a container. A failure is filled with its last
// words before.
func (m *Manager) tryRemove(id runtime.ID, grace time.Duration, failure *StartError) error {
	// What has begun is carried out, also when the daemon goes down meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.ctx), grace+callTimeout)
	defer cancel()
	if failure != nil {
		m.autopsy(ctx, id, failure)
	}
	if err := m.rt.Stop(ctx, id, grace); err != nil {
		return err
	}
	return m.rt.Remove(ctx, id)
}

// deleteKept deletes the home and the saved settings of a uid that has no
// container, and tells whether there was anything.
func (m *Manager) deleteKept(uid string) (found bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.ctx), callTimeout)
	defer cancel()
	hadHome, err := m.deleteHome(ctx, uid, "", "purged by request")
	if err != nil {
		return hadHome, unanswered(ctx, err)
	}
	_, hadSettings, err := m.store.load(uid)
	if err != nil {
		return hadHome, err
	}
	return hadHome || hadSettings, m.store.remove(uid)
}
