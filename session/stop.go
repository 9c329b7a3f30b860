package session

import (
	"context"
	"time"

	"sage/runtime"
)

const (
	// callTimeout bounds one engine call beyond the grace that it gives.
	callTimeout = 30 * time.Second
	// retryFirst and retryMost are the pauses between attempts to take a
	// container away from an engine that does not answer.
	retryFirst, retryMost = time.Second, 15 * time.Second
)

// StopOptions say how a desktop is stopped.
type StopOptions struct {
	// Purge deletes the home volume and the saved settings, too.
	Purge bool
}

// Stop takes uid's desktop away and returns when it is gone. A start that is
// under way is ended. The home stays, unless it is purged.
//
// Errors: ErrInvalidUID, ErrNotRunning (there was nothing to stop and nothing
// to purge), runtime.ErrConflict (a new desktop uses the home), ErrClosing, or
// the context's own; the stop goes on then.
func (m *Manager) Stop(ctx context.Context, uid string, opts StopOptions) error {
	if err := CheckUID(uid); err != nil {
		return err
	}
	stopped, err := m.stop(ctx, uid)
	if err != nil {
		return err
	}
	purged := false
	if opts.Purge {
		if purged, err = m.purge(ctx, uid); err != nil {
			return err
		}
	}
	if !stopped && !purged {
		return ErrNotRunning
	}
	return nil
}

// stop waits until the desktop that is there now is gone, and tells whether
// there was one.
func (m *Manager) stop(ctx context.Context, uid string) (bool, error) {
	m.mu.Lock()
	d := m.desktops[uid]
	if d == nil {
		m.mu.Unlock()
		return false, nil
	}
	switch {
	case m.closing && d.state != Stopping:
		m.mu.Unlock()
		return false, ErrClosing
	case d.state == Failed:
		m.forget(d)
		m.mu.Unlock()
		return true, nil
	case d.state.Running():
		m.takeDown(d, "stopped by request", nil)
	case d.state != Stopping: // Preparing or Starting
		m.setState(d, Stopping)
		d.attempt.cancel(ErrStopped)
	}
	for d.state == Stopping {
		changed := d.changed
		m.mu.Unlock()
		if err := m.await(ctx, changed, m.idle); err != nil {
			return true, err
		}
		m.mu.Lock()
	}
	m.mu.Unlock()
	return true, nil
}

// purge deletes what is kept of a uid, and tells whether there was anything.
func (m *Manager) purge(ctx context.Context, uid string) (bool, error) {
	volume := m.opts.homeVolume(uid)
	hadHome, err := m.rt.Volume(ctx, volume)
	if err != nil {
		return false, err
	}
	if err := m.rt.RemoveVolume(ctx, volume); err != nil {
		return false, err
	}
	_, hadSettings, err := m.store.load(uid)
	if err != nil {
		return false, err
	}
	return hadHome || hadSettings, m.store.remove(uid)
}

// takeDown begins to take a running desktop away; afterwards it is Absent, or
// Failed where a failure is given. The Manager's lock is held.
func (m *Manager) takeDown(d *desktop, reason string, failure *StartError) {
	m.setState(d, Stopping)
	d.cancel(ErrStopped) // Ends the streams.
	m.log.Info("desktop is being stopped", "uid", d.uid, "app", d.app, "reason", reason)
	id, grace := d.id, d.policy.stop
	m.work.Go(func() {
		if !m.insist(d.uid, func() error { return m.tryRemove(id, grace, failure) }) {
			return // The daemon goes down; the next one finds the container.
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.ports.release(d.uid, d.hostPorts)
		delete(m.tokens, d.token)
		if failure == nil {
			m.forget(d)
			return
		}
		m.fail(d, failure)
		m.log.Warn("desktop ended", "uid", d.uid, "app", d.app, "error", failure)
	})
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
