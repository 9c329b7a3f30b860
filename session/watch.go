package session

import (
	"context"
	"maps"
	"slices"
	"time"
)

// watchInterval is the least time between two reports of a Watch: what happens
// meanwhile comes together.
const watchInterval = 100 * time.Millisecond

// Watch follows the desktop of one uid, or all of them. It holds up nobody: what
// nobody asks for is kept as the set of uids that have changed. A Watch is used by
// one goroutine, which closes it; watching is no use of a desktop.
type Watch struct {
	m *Manager
	// uid is whose desktop is followed; empty for all.
	uid string
	// wake holds a token while there is something to tell.
	wake chan struct{}
	// last is when something was told.
	last time.Time

	// changed are the uids of which there is something to tell. The Manager's lock
	// guards it.
	changed map[string]struct{}
}

// Watch follows uid's desktop, also one that is yet to come.
//
// Errors: ErrInvalidUID.
func (m *Manager) Watch(uid string) (*Watch, error) {
	if err := CheckUID(uid); err != nil {
		return nil, err
	}
	return m.watch(uid, uid), nil
}

// WatchAll follows every desktop.
func (m *Manager) WatchAll() *Watch { return m.watch("") }

// watch follows uid; whatever becomes of the desktops, the first report is of
// those given, and of all where uid is empty.
func (m *Manager) watch(uid string, first ...string) *Watch {
	w := &Watch{m: m, uid: uid, wake: make(chan struct{}, 1), changed: map[string]struct{}{}}
	m.mu.Lock()
	defer m.mu.Unlock()
	if uid == "" {
		first = slices.Collect(maps.Keys(m.desktops))
	}
	for _, uid := range first {
		w.changed[uid] = struct{}{}
	}
	w.wake <- struct{}{}
	m.watches[w] = struct{}{}
	return w
}

// Close ends the watching. It may be called more than once.
func (w *Watch) Close() {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	delete(w.m.watches, w)
}

// Next waits until something has changed and describes the desktops that have,
// sorted by uid, as they are now; one that is gone is Absent. What a desktop was
// between two calls is not told. The first call gives what there is, which for
// all desktops may be nothing. After an error of ctx it may be called again:
// nothing is lost.
//
// Errors: ErrClosing, or the context's own.
func (w *Watch) Next(ctx context.Context) ([]Session, error) {
	rest := time.NewTimer(time.Until(w.last.Add(watchInterval)))
	defer rest.Stop()
	if err := untilClosed(ctx, w.m, rest.C); err != nil {
		return nil, err
	}
	if err := untilClosed(ctx, w.m, w.wake); err != nil {
		return nil, err
	}
	w.last = time.Now()
	return w.take(), nil
}

// untilClosed blocks until c gives something, ctx ends or the Manager closes.
func untilClosed[T any](ctx context.Context, m *Manager, c <-chan T) error {
	select {
	case <-c:
		return nil
	case <-m.ctx.Done():
		return ErrClosing
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take describes what has changed.
func (w *Watch) take() []Session {
	m := w.m
	m.mu.Lock()
	defer m.mu.Unlock()
	sessions := make([]Session, 0, len(w.changed))
	for _, uid := range slices.Sorted(maps.Keys(w.changed)) {
		sessions = append(sessions, m.describe(uid))
	}
	clear(w.changed)
	return sessions
}

// tell lets those who watch know that a uid's desktop has changed. The Manager's
// lock is held.
func (m *Manager) tell(uid string) {
	for w := range m.watches {
		if w.uid != "" && w.uid != uid {
			continue
		}
		w.changed[uid] = struct{}{}
		select {
		case w.wake <- struct{}{}:
		default: // It will come anyway.
		}
	}
}
