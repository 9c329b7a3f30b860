package stream

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// clientConn is a hijacked connection: it counts what passes and gives up on a client that takes nothing.
type clientConn struct {
	net.Conn
	writeTimeout   time.Duration
	received, sent atomic.Int64
	pictured       func() // Called when pictureBytes have been sent; may be nil.
}

// newClientConn wraps conn and lets the kernel find a peer that is gone: with keepalive probes when it is quiet, and
// by unacknowledged data when it is not.
func newClientConn(conn net.Conn, opts Options) *clientConn {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: true, Idle: opts.PingInterval, Interval: max(opts.PingTimeout/3, time.Second), Count: 3,
		})
		// Best effort: where the kernel has no such option, pings and write time-outs remain.
		_ = setUserTimeout(tcp, opts.PingInterval+opts.PingTimeout)
	}
	return &clientConn{Conn: conn, writeTimeout: opts.WriteTimeout}
}

func (c *clientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.received.Add(int64(n))
	return n, err
}

func (c *clientConn) Write(b []byte) (int, error) {
	n, err := writeWithin(c.Conn, b, c.writeTimeout)
	if sent := c.sent.Add(int64(n)); c.pictured != nil && sent >= pictureBytes && sent-int64(n) < pictureBytes {
		c.pictured()
	}
	return n, err
}

// sending gives how many bytes the client's kernel has taken so far and how many wait to be taken. Where the kernel
// does not say, what was written counts as taken, and something always seems to wait.
func (c *clientConn) sending() (taken, waiting int64) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		if taken, waiting, ok := sendQueue(tcp); ok {
			return taken, waiting
		}
	}
	return c.sent.Load(), 1
}

// writeWithin writes b, giving up after d.
func writeWithin(conn net.Conn, b []byte, d time.Duration) (int, error) {
	if err := conn.SetWriteDeadline(time.Now().Add(d)); err != nil {
		return 0, err
	}
	return conn.Write(b)
}

// upgradeWriter puts a clientConn in place of the connection that the WebSocket library takes over.
type upgradeWriter struct {
	http.ResponseWriter
	opts     Options
	hijacked *clientConn // Set by Hijack.
}

// Hijack takes over the connection, through whatever wraps the writer.
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = newClientConn(conn, w.opts)
	// The library resets the reader to the connection it is given, but not the writer.
	brw.Writer.Reset(w.hijacked)
	return w.hijacked, brw, nil
}
