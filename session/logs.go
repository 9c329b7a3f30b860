package session

import (
	"context"
	"errors"
	"io"

	"sage/runtime"
)

// Logs gives the last lines of what uid's container wrote, which may be one that
// does not answer yet.
//
// Errors: ErrInvalidUID, ErrNotRunning, runtime.ErrUnavailable, or the context's
// own.
func (m *Manager) Logs(ctx context.Context, uid string, lines int) ([]byte, error) {
	id, err := m.containerOf(uid)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	log, err := m.rt.Logs(ctx, id, lines)
	return log, m.ended(unanswered(ctx, err))
}

// FollowLogs writes to w what Logs gives, and then what the container writes,
// until it ends, ctx ends, or w gives an error. Following is no use of the
// desktop.
//
// Errors: ErrInvalidUID, ErrNotRunning, runtime.ErrUnavailable, the context's
// own, or one that wraps what w gave.
func (m *Manager) FollowLogs(ctx context.Context, uid string, lines int, w io.Writer) error {
	id, err := m.containerOf(uid)
	if err != nil {
		return err
	}
	return m.ended(m.rt.FollowLogs(ctx, id, lines, w))
}

// containerOf finds the container of a desktop that runs or is about to.
func (m *Manager) containerOf(uid string) (runtime.ID, error) {
	if err := CheckUID(uid); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.desktops[uid]
	if d == nil || d.state != Starting && !d.state.Running() {
		return "", ErrNotRunning
	}
	return d.id, m.refusal(uid)
}

// ended makes ErrNotRunning of what an engine says of a container that has ended
// meanwhile.
func (m *Manager) ended(err error) error {
	if errors.Is(err, runtime.ErrNotFound) || errors.Is(err, runtime.ErrConflict) {
		m.reconcileSoon()
		return ErrNotRunning
	}
	return err
}
