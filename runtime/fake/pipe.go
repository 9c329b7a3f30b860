package fake

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// pipe is an end of a net.Pipe that gives the errors of a TCP connection, which
// is what callers know.
type pipe struct {
	net.Conn
	closed atomic.Bool
}

// Read implements net.Conn.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	return n, p.translate(err)
}

// Write implements net.Conn.
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	return n, p.translate(err)
}

// Close implements net.Conn.
func (p *pipe) Close() error {
	if p.closed.Swap(true) {
		return net.ErrClosed
	}
	return p.Conn.Close()
}

// SetDeadline implements net.Conn. As with TCP it does not matter whether the
// other side has gone.
func (p *pipe) SetDeadline(t time.Time) error { return p.deadline(p.Conn.SetDeadline(t)) }

// SetReadDeadline implements net.Conn.
func (p *pipe) SetReadDeadline(t time.Time) error { return p.deadline(p.Conn.SetReadDeadline(t)) }

// SetWriteDeadline implements net.Conn.
func (p *pipe) SetWriteDeadline(t time.Time) error { return p.deadline(p.Conn.SetWriteDeadline(t)) }

func (p *pipe) translate(err error) error {
	switch {
	case !errors.Is(err, io.ErrClosedPipe):
		return err
	case p.closed.Load():
		return net.ErrClosed
	default:
		return syscall.EPIPE
	}
}

func (p *pipe) deadline(err error) error {
	if errors.Is(err, io.ErrClosedPipe) && !p.closed.Load() {
		return nil
	}
	return p.translate(err)
}
