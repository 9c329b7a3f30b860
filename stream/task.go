package stream

import (
	"iter"
	"time"
)

// task is one direction of a stream: code that waits, written straight down. It is a coroutine, so that whoever knows
// that it may go on continues it on the spot, without the runtime's scheduler: its loop, where its connections belong to
// one, and else a goroutine, on which it waits like any other code.
type task struct {
	yield func(wait) bool
	next  func() (wait, bool)
	err   error // Why the last wait was in vain.
}

// The two sides of a connection that a task can wait for.
const (
	readable = iota
	writable
	sides
)

// wait is what a task waits for in its loop: one side of a line. Without a line it is a wish to leave the loop.
type wait struct {
	line     *line
	side     int
	deadline time.Time // Zero: for ever.
	task     *task     // Who waits; set by the loop.
}

// startTask runs f on a goroutine of its own, until it waits for a line that belongs to a loop.
func startTask(f func(*task)) {
	t := new(task)
	t.next, _ = iter.Pull(func(yield func(wait) bool) {
		t.yield = yield
		f(t)
	})
	go t.step()
}

// step continues the task until it waits, and gives it to the loop then.
func (t *task) step() {
	w, more := t.next()
	switch {
	case !more:
	case w.line == nil:
		go t.step()
	default:
		w.task = t
		w.line.arm(w)
	}
}

// wait lets the task's loop go on with others until one side of the line is ready or broken; sometimes it returns
// without that. Its error is [os.ErrDeadlineExceeded], or [net.ErrClosed] for a line that this side has closed.
func (t *task) wait(l *line, side int, deadline time.Time) error {
	t.err = nil
	t.yield(wait{line: l, side: side, deadline: deadline})
	return t.err
}

// leave makes the task go on outside of its loop, until its next wait: what comes may take its time. It does nothing
// for no task.
func (t *task) leave() {
	if t != nil {
		t.yield(wait{})
	}
}
