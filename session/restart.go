package session

import "context"

// Restart takes uid's desktop away and gives the next one, with the saved
// settings, when it answers. To everybody else it is one operation: who comes
// meanwhile waits for the next one, its place among the desktops is kept, and it
// goes on when ctx ends. A uid without a desktop is started; a start that is under
// way is waited for, since it is a new desktop already.
//
// Errors: those of Start; ErrStopped also where somebody stopped the uid
// meanwhile.
func (m *Manager) Restart(ctx context.Context, uid string) (Session, error) {
	if err := CheckUID(uid); err != nil {
		return Session{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// Before anything is taken away: can it come again?
	p, err := m.savedPlan(uid, nil)
	if err != nil {
		return Session{}, err
	}
	d := m.desktops[uid]
	switch {
	case d != nil && d.state == Stopping && d.next != nil: // Somebody restarts it already.
	case d == nil || !d.state.Running():
		return m.bring(ctx, uid, p, nil)
	case m.closing || m.draining:
		return Session{}, ErrClosing
	default:
		if err := m.refusal(uid); err != nil {
			return Session{}, err
		}
		d.next = p
		m.takeDown(d, StopRestart, nil)
	}
	for d.state == Stopping {
		if err := m.awaitChange(ctx, d, m.ctx.Done()); err != nil {
			return Session{}, err
		}
	}
	if d.successor == nil {
		return Session{}, ErrStopped
	}
	if err := m.awaitStart(ctx, d.successor); err != nil {
		return Session{}, err
	}
	if d = m.desktops[uid]; d == nil || !d.state.Running() {
		return Session{}, ErrStopped
	}
	return m.session(d), nil
}
