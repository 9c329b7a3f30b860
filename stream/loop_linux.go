package stream

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// loops are the loops of a gateway. There may be none.
type loops []*loop

// newLoops makes a loop for each processor but one: a loop that is busy waits so often and so shortly that the runtime
// does not take its processor away meanwhile, and somebody must look after all other connections.
func newLoops() loops {
	var all loops
	for range runtime.GOMAXPROCS(0) - 1 {
		all = append(all, newLoop())
	}
	return all
}

func newLoop() *loop { return &loop{lines: make(map[int32]*line)} }

// pick gives the loop with the fewest lines. There is one.
func (l loops) pick() *loop {
	best, least := l[0], l[0].size()
	for _, other := range l[1:] {
		if n := other.size(); n < least {
			best, least = other, n
		}
	}
	return best
}

// loop waits for many lines at once and continues the tasks that wait for them, one after the other, on its own
// goroutine. Nothing that it calls may wait in another way, see [task.leave]. It runs while it has lines.
//
// The runtime's poller would do, but it wakes a thread for each packet of each connection that it knows, also while nobody
// waits for it, and hands what is ready from thread to thread.
type loop struct {
	mu    sync.Mutex
	lines map[int32]*line // By file.
	runs  bool
	epoll int
	bell  int       // An eventfd that interrupts waiting.
	ready []*task   // To be continued at the next turn.
	due   time.Time // The first deadline may be then; zero while there is none.
}

func (l *loop) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// add takes a line in, whose file is fd.
func (l *loop) add(v *line, fd int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.runs {
		if err := l.start(); err != nil {
			return err
		}
	}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Fd: int32(fd)}); err != nil {
		l.ring() // So that it ends if it has no lines.
		return err
	}
	l.lines[int32(fd)] = v
	return nil
}

// remove lets a line go. Nobody waits for it any more.
func (l *loop) remove(fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.lines, int32(fd))
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, fd, nil)
	if len(l.lines) == 0 {
		l.ring()
	}
}

// start makes what the loop needs and lets it run. It needs mu.
func (l *loop) start() (err error) {
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if l.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		err = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, l.bell, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(l.bell)})
		if err != nil {
			_ = unix.Close(l.bell)
		}
	}
	if err != nil {
		_ = unix.Close(l.epoll)
		return err
	}
	l.runs = true
	go l.run(l.epoll)
	return nil
}

// ring makes the loop look at what is new. It needs mu.
func (l *loop) ring() {
	_, _ = unix.Write(l.bell, binary.NativeEndian.AppendUint64(nil, 1))
}

// stretch is how long a loop goes on before it passes by the scheduler. The runtime takes a goroutine that has not been
// there for 10 ms for a stuck one: it looks for its processor 20,000 times a second then, takes it away in each system
// call, and so moves the loop from thread to thread.
const stretch = 5 * time.Millisecond

// run is the loop's goroutine.
func (l *loop) run(epoll int) {
	events := make([]unix.EpollEvent, 64)
	scheduled := time.Now()
	for patience := forever; patience != over; {
		n, err := unix.EpollWait(epoll, events, patience)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic("stream: epoll_wait: " + err.Error()) // Of a file that is ours, in memory that is ours.
		}
		for _, e := range events[:max(n, 0)] {
			for _, t := range l.happened(e) {
				if t != nil {
					t.step()
				}
			}
		}
		now := time.Now()
		if now.Sub(scheduled) > stretch {
			runtime.Gosched()
			scheduled = now
		}
		var rest []*task
		for rest, patience = l.turn(now); len(rest) > 0; rest, patience = l.turn(now) {
			for _, t := range rest {
				t.step()
			}
		}
	}
}

// happened gives the tasks that an event lets go on.
func (l *loop) happened(e unix.EpollEvent) (due [sides]*task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(e.Fd) == l.bell {
		var count [8]byte
		_, _ = unix.Read(l.bell, count[:])
		return due
	}
	v := l.lines[e.Fd]
	if v == nil {
		return due // It has gone meanwhile.
	}
	broken := e.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0
	waited := false
	for side := range due {
		bit := bitOf(side)
		if e.Events&bit == 0 && !broken {
			continue
		}
		if w := &v.waits[side]; w.task != nil {
			due[side], *w = w.task, wait{}
			waited = true
			continue
		}
		v.armed &^= bit // It has come while nobody waits, and is not to be told again and again.
	}
	switch {
	case waited && broken:
	case broken:
		v.broken = true // That is told whatever is asked for.
		_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, int(e.Fd), nil)
	case e.Events&^v.armed != 0:
		l.watch(v, int(e.Fd))
	}
	return due
}

func bitOf(side int) uint32 {
	if side == readable {
		return unix.EPOLLIN
	}
	return unix.EPOLLOUT
}

// watch tells the kernel what is waited for on a line. It needs mu.
func (l *loop) watch(v *line, fd int) {
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: v.armed, Fd: int32(fd)})
}

// arm lets w's task wait for w's line, whose file is fd.
func (l *loop) arm(w wait, fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := w.line
	if v.broken || v.ended {
		l.release(w)
		return
	}
	v.waits[w.side] = w
	if bit := bitOf(w.side); v.armed&bit == 0 {
		v.armed |= bit
		l.watch(v, fd)
	}
	if !w.deadline.IsZero() && (l.due.IsZero() || w.deadline.Before(l.due)) {
		l.due = w.deadline
		l.ring() // It may be called from elsewhere.
	}
}

// end lets those go on who wait for a line that is closed. Nobody waits for it any more.
func (l *loop) end(v *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v.ended = true
	for side, w := range v.waits {
		if w.task != nil {
			v.waits[side] = wait{}
			l.release(w)
		}
	}
}

// release lets w's task go on at the next turn. It needs mu.
func (l *loop) release(w wait) {
	if w.line.ended {
		w.task.err = net.ErrClosed
	}
	l.ready = append(l.ready, w.task)
	l.ring()
}

// How long there is to wait for events, beside numbers of milliseconds.
const (
	forever = -1
	over    = -2 // The loop has ended.
)

// turn gives the tasks that go on without an event: those whose time is over, and those that need not wait. If there are
// none it gives how long there is to wait for events.
func (l *loop) turn(now time.Time) (rest []*task, patience int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest, l.ready = l.ready, nil
	patience = forever
	if !l.due.IsZero() {
		if !now.Before(l.due) {
			rest = append(rest, l.late(now)...)
		}
		if !l.due.IsZero() {
			patience = int(max(0, l.due.Sub(now)).Milliseconds()) + 1
		}
	}
	if len(l.lines) == 0 && len(rest) == 0 {
		l.runs = false
		_ = unix.Close(l.bell)
		_ = unix.Close(l.epoll)
		return nil, over
	}
	return rest, patience
}

// late gives the tasks whose deadline has come, and finds the next deadline. It needs mu.
func (l *loop) late(now time.Time) (late []*task) {
	l.due = time.Time{}
	for _, v := range l.lines {
		for side := range v.waits {
			w := &v.waits[side]
			switch {
			case w.task == nil || w.deadline.IsZero():
			case !now.Before(w.deadline):
				w.task.err = os.ErrDeadlineExceeded
				late = append(late, w.task)
				*w = wait{}
			case l.due.IsZero() || w.deadline.Before(l.due):
				l.due = w.deadline
			}
		}
	}
	return late
}
