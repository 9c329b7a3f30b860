package session

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// queue lets a number of starts go on at the same time; the others wait, and go on
// in the order in which they came. The Manager's lock guards it.
type queue struct {
	free    int // Starts that may go on at once.
	waiting []*turn
	last    uint64
}

// turn is a start's place in the queue.
type turn struct {
	uid string
	// number says who came first.
	number uint64
	// granted is closed when the start may go on, held says that it does.
	granted chan struct{}
	held    bool
}

// newTurn takes a number. The Manager's lock is held.
func (m *Manager) newTurn(uid string) *turn {
	m.queue.last++
	return &turn{uid: uid, number: m.queue.last}
}

// queueUp waits from now on, or goes on at once and says so. One that has been at
// work before is in front of those who came later. The Manager's lock is held.
func (m *Manager) queueUp(t *turn) (granted bool) {
	q := &m.queue
	t.granted = make(chan struct{})
	if q.free > 0 {
		q.free--
		t.grant()
		return true
	}
	at, _ := slices.BinarySearchFunc(q.waiting, t.number, func(other *turn, number uint64) int {
		if other.number < number {
			return -1
		}
		return 1
	})
	q.waiting = slices.Insert(q.waiting, at, t)
	m.tellWaiting(at)
	return false
}

func (t *turn) grant() {
	t.held = true
	close(t.granted)
}

// quit ends the waiting or lets the next one go on, whichever it is; one that has
// quit already, or was never in the queue, changes nothing. The Manager's lock is
// held.
func (m *Manager) quit(t *turn) {
	q := &m.queue
	if at := slices.Index(q.waiting, t); at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
		m.tellWaiting(at)
		return
	}
	if t == nil || !t.held {
		return
	}
	t.held = false
	if len(q.waiting) == 0 {
		q.free++
		return
	}
	next := q.waiting[0]
	q.waiting = slices.Delete(q.waiting, 0, 1)
	next.grant()
	m.tell(next.uid)
	m.tellWaiting(0)
}

// tellWaiting tells of new positions from one on. The Manager's lock is held.
func (m *Manager) tellWaiting(from int) {
	for _, t := range m.queue.waiting[from:] {
		m.tell(t.uid)
	}
}

// position is a desktop's place in the queue, from 1; zero where it does not wait.
// The Manager's lock is held.
func (m *Manager) position(d *desktop) int {
	return slices.Index(m.queue.waiting, d.turn) + 1
}

// room says why no further desktop may be started, if there is a reason. The
// Manager's lock is held.
func (m *Manager) room() error {
	if m.opts.MaxDesktops == 0 {
		return nil
	}
	n := len(m.unmet)
	for _, d := range m.desktops {
		// A uid whose home is purged may be Stopping without ever a container.
		if d.state != Failed && d.container != "" {
			n++
		}
	}
	if n < m.opts.MaxDesktops {
		return nil
	}
	return &CapacityError{Limit: m.opts.MaxDesktops, Current: n}
}

// awaitTurn waits until the start may go on.
func (l *launch) awaitTurn(ctx context.Context) error {
	select {
	case <-l.d.turn.granted:
		return nil
	default:
	}
	l.enter(PhaseQueued)
	limit := l.m.opts.QueueTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("%w: %d starts are at work, and none of the ones before has ended within %s", ErrQueueTimeout, l.m.opts.StartsAtOnce, limit.Round(time.Second)))
	defer cancel()
	return await(ctx, l.d.turn.granted)
}

// stepAside lets the next start go on, until rejoin.
func (l *launch) stepAside() {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.m.quit(l.d.turn)
}

// rejoin takes a place again, unless the start was stopped meanwhile.
func (l *launch) rejoin() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.d.state == Stopping {
		return ErrStopped
	}
	l.m.queueUp(l.d.turn)
	return nil
}
