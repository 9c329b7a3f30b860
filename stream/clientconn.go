package stream

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// clientConn is a connection that was taken over from the HTTP server: it counts what passes and gives up on a client
// that takes nothing. Writes exclude each other by their caller.
type clientConn struct {
	net.Conn
	out            *sink
	received, sent atomic.Int64
	// pictured is called when pictureBytes have been sent; may be nil.
	pictured func()

	mu     sync.Mutex
	closer *time.Timer // Closes it, where that is set up.
	closed bool
}

// newClientConn wraps conn.
func newClientConn(conn net.Conn, opts Options) *clientConn {
	noticeGone(conn, opts, opts.PingInterval+opts.PingTimeout)
	conn = newLine(conn)
	return &clientConn{Conn: conn, out: newSink(conn, opts.WriteTimeout)}
}

// noticeGone lets the kernel find a peer that is gone: with keepalive probes when it is quiet, and when it is not by data
// that stays unacknowledged for so long.
func noticeGone(conn net.Conn, opts Options, unacknowledged time.Duration) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: opts.PingInterval, Interval: max(opts.PingTimeout/3, time.Second), Count: 3,
	})
	// Best effort: where the kernel has no such option, pings and write time-outs remain.
	_ = setUserTimeout(tcp, unacknowledged)
}

// write writes b for a task or, without one, for anybody.
func (c *clientConn) write(t *task, b []byte) error {
	n, err := c.out.Write(t, b, false)
	c.count(n)
	return err
}

// move writes head and what p holds behind it.
func (c *clientConn) move(t *task, head []byte, p *pipe) error {
	n, err := c.out.Write(t, head, true)
	c.count(n)
	if err != nil {
		return err
	}
	n, err = c.out.Move(t, p)
	c.count(n)
	return err
}

// count counts what was sent.
func (c *clientConn) count(n int) {
	if sent := c.sent.Add(int64(n)); c.pictured != nil && sent >= pictureBytes && sent-int64(n) < pictureBytes {
		c.pictured()
	}
}

// Close is [net.Conn].
func (c *clientConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.closer != nil {
		c.closer.Stop()
	}
	return c.Conn.Close()
}

// closeAfter closes it after d, unless somebody does before.
func (c *clientConn) closeAfter(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closer = time.AfterFunc(d, func() { _ = c.Close() })
	}
}

// sending gives how many bytes the client's kernel has taken so far and how many wait to be taken. Where the kernel
// does not say, what was written counts as taken, and something always seems to wait.
func (c *clientConn) sending() (taken, waiting int64) {
	if l, ok := c.Conn.(*line); ok {
		if taken, waiting, ok := sendQueue(l); ok {
			return taken, waiting
		}
	}
	return c.sent.Load(), 1
}
