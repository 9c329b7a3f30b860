package stream

import (
	"context"
	"net"
	"sync/atomic"

	"sage/stream/ws"
)

// desktopSide is the desktop's connection, as a guard and its stream write to it. Whoever writes excludes others.
type desktopSide struct {
	net.Conn
	out     *sink
	writing atomic.Bool // It is being given the client's bytes, so nothing is read from the client.
	failed  atomic.Bool // It takes no more.
}

// Write is [net.Conn].
func (d *desktopSide) Write(b []byte) (int, error) {
	d.writing.Store(true)
	defer d.writing.Store(false)
	n, err := d.out.Write(b)
	if err != nil {
		d.failed.Store(true)
	}
	return n, err
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
func (c clientSide) Write(b []byte) (int, error) { return len(b), c.f.send(b) }

// meet lets the guard shake hands with both sides. What the client says meanwhile is kept until then.
func (f *framed) meet() error {
	defer close(f.met)
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
func (f *framed) show(p piece) error {
	if !f.filters() {
		return f.frames.message(p)
	}
	seen, err := f.guard.ToClient(p.bytes())
	if err != nil {
		return &ending{status: ws.StatusPolicy, reason: err.Error()}
	}
	return f.send(seen)
}

// send sends b as messages, for which it is copied.
func (f *framed) send(b []byte) error {
	buf := f.gateway.large.get()
	defer f.gateway.large.put(buf)
	for len(b) > 0 {
		n := copy((*buf)[headRoom:], b)
		if err := f.frames.message(piece{buf: (*buf)[:headRoom+n]}); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
