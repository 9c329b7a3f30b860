package stream

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"sage/stream/ws"
)

// desktopSide is the desktop's connection, as a guard and its stream write to it. Whoever writes excludes others. Where
// the connection is in a loop, writing does not wait, since whoever writes may hold what another stream of the loop needs:
// what the desktop does not take at once is on its way until settled. That is little, as no more is read from the client
// until then.
type desktopSide struct {
	net.Conn
	out     *sink
	writing atomic.Bool // It is being given the client's bytes, so nothing is read from the client.
	failed  atomic.Bool // It takes no more.

	mu    sync.Mutex
	rest  []byte        // On its way.
	taken chan struct{} // Closed when nothing is on its way any more; nil when nothing is.
	err   error         // Why it takes no more.
}

// Write is [net.Conn].
func (d *desktopSide) Write(b []byte) (int, error) {
	l, _ := looped(d.Conn)
	if l == nil {
		d.writing.Store(true)
		defer d.writing.Store(false)
		n, err := d.out.Write(nil, b, false)
		if err != nil {
			d.failed.Store(true)
		}
		return n, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	if d.err == nil && d.taken == nil {
		n, d.err = l.offer(b, false)
	}
	if d.err != nil {
		d.failed.Store(true)
		return n, d.err
	}
	if n == len(b) {
		return n, nil
	}
	d.rest = append(d.rest, b[n:]...)
	if d.taken == nil {
		d.writing.Store(true)
		d.taken = make(chan struct{})
		go d.bring()
	}
	return len(b), nil
}

// bring gives the desktop what is on its way.
func (d *desktopSide) bring() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.rest) > 0 && d.err == nil {
		rest := d.rest
		d.rest = nil
		d.mu.Unlock()
		_, err := d.out.Write(nil, rest, false)
		d.mu.Lock()
		d.err = err
	}
	d.failed.Store(d.err != nil)
	d.writing.Store(false)
	close(d.taken)
	d.taken = nil
}

// settled waits until nothing is on its way to the desktop any more. Its error says why the desktop takes nothing more.
func (d *desktopSide) settled(t *task) error {
	for d.writing.Load() || d.failed.Load() {
		d.mu.Lock()
		taken, err := d.taken, d.err
		d.mu.Unlock()
		if taken == nil {
			return err
		}
		t.leave()
		<-taken
	}
	return nil
}

// clientSide is the client as its guard sees it while they shake hands: plain bytes.
type clientSide struct{ f *framed }

// Read is [io.Reader]. It gives what the client's messages hold.
func (c clientSide) Read(b []byte) (int, error) {
	f := c.f
	for len(f.early) == 0 {
		if err := f.in.next(clientBufferSize, f.use); err != nil {
			return 0, err
		}
	}
	n := copy(b, f.early)
	f.early = f.early[n:]
	return n, nil
}

// Write is [io.Writer].
func (c clientSide) Write(b []byte) (int, error) { return len(b), c.f.send(nil, b) }

// meet lets the guard shake hands with both sides. What the client says meanwhile is kept until then.
func (f *framed) meet() error {
	if f.guard == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(f.ctx, f.gateway.opts.DialTimeout)
	defer cancel()
	late := context.AfterFunc(ctx, func() {
		f.end(&ending{status: ws.StatusPolicy, reason: "handshake took too long"})
	})
	defer late()
	if err := f.guard.Handshake(ctx); err != nil {
		if e := clientEnding(err); e.status != 0 {
			return e
		}
		return &ending{status: ws.StatusInternalError, reason: err.Error()}
	}
	rest := f.early
	f.early = nil
	f.shaken = true
	return f.deliver(rest)
}

// deliverGuarded gives the guard what the client says.
func (f *framed) deliverGuarded(b []byte) error {
	if !f.shaken {
		f.early = append(f.early, b...)
		return nil
	}
	err := f.guard.FromClient(b)
	switch {
	case err == nil:
		return nil
	case f.desktop.failed.Load():
		f.end(desktopEnding(err))
		return nil
	default:
		return &ending{status: ws.StatusPolicy, reason: err.Error()}
	}
}

// filters tells whether the guard looks at what the desktop sends.
func (f *framed) filters() bool { return f.guard != nil && f.guard.FiltersServer() }

// show sends the client one message with what it may see of p.
func (f *framed) show(t *task, p piece) error {
	if !f.filters() {
		return f.frames.message(t, p)
	}
	seen, err := f.guard.ToClient(p.bytes())
	if err != nil {
		return &ending{status: ws.StatusPolicy, reason: err.Error()}
	}
	return f.send(t, seen)
}

// send sends b as messages, for which it is copied.
func (f *framed) send(t *task, b []byte) error {
	buf := f.gateway.large.get()
	defer f.gateway.large.put(buf)
	for len(b) > 0 {
		n := copy((*buf)[headRoom:], b)
		if err := f.frames.message(t, piece{buf: (*buf)[:headRoom+n]}); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
