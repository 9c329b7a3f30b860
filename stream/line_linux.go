package stream

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// line is a desktop's connection that can leave the runtime's poller for a while. The poller is woken by each packet of a
// connection that it knows, also while nobody waits for it; when much comes, that costs as much as moving the bytes. Off
// the poller a thread waits for this one connection, so that only some may be off it at a time.
//
// One goroutine reads, takes it off and puts it back; one at a time writes; anybody may do the rest.
type line struct {
	local, remote net.Addr

	writing sync.Mutex // Held while something is written or the way of waiting changes. It is taken before mu.

	mu       sync.Mutex
	conn     net.Conn // Nil while off the poller.
	fd       int      // While off the poller.
	closed   bool
	deadline time.Time // Of writes.
}

// writeSlice is how long a write holds the line at most while it is off the poller.
const writeSlice = 10 * time.Millisecond

// newLine gives conn as a line, or conn itself where its kind cannot be one.
func newLine(conn net.Conn) net.Conn {
	if waitable(conn) == nil {
		return conn
	}
	return &line{local: conn.LocalAddr(), remote: conn.RemoteAddr(), conn: conn}
}

// now gives how to reach the peer now: by conn, or by fd where conn is nil.
func (l *line) now() (conn net.Conn, fd int, deadline time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, 0, time.Time{}, net.ErrClosed
	}
	return l.conn, l.fd, l.deadline, nil
}

// leave takes the line off the poller and gives its file. It fails while something is written or when it is closed.
func (l *line) leave() (fd int, ok bool) {
	if !l.writing.TryLock() {
		return 0, false
	}
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, false
	}
	err := waitable(l.conn).Control(func(own uintptr) {
		fd, ok = duplicate(int(own))
	})
	if err != nil || !ok {
		return 0, false
	}
	_ = l.conn.Close() // The connection goes on by its other file.
	l.conn, l.fd = nil, fd
	return fd, true
}

func duplicate(fd int) (int, bool) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return own, err == nil
}

// back puts the line on the poller again. When that fails, or it was closed meanwhile, it is gone.
func (l *line) back() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	file := os.NewFile(uintptr(l.fd), "desktop")
	defer file.Close() // The connection has a file of its own.
	l.fd = -1
	if l.closed {
		return net.ErrClosed
	}
	conn, err := net.FileConn(file)
	if err == nil {
		err = conn.SetWriteDeadline(l.deadline)
	}
	if err != nil {
		l.closed = true
		return err
	}
	l.conn = conn
	return nil
}

// Read is [net.Conn]. It is of no use off the poller.
func (l *line) Read(b []byte) (int, error) {
	conn, _, _, err := l.now()
	if err != nil {
		return 0, err
	}
	return conn.Read(b)
}

// Write is [net.Conn].
func (l *line) Write(b []byte) (sent int, err error) {
	for err = unix.EAGAIN; errors.Is(err, unix.EAGAIN); {
		var n int
		n, err = l.writeSome(b[sent:])
		sent += n
	}
	return sent, err
}

// writeSome writes b, or what goes within a slice of time; EAGAIN says that it was not all.
func (l *line) writeSome(b []byte) (sent int, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	conn, fd, deadline, err := l.now()
	switch {
	case err != nil:
		return 0, err
	case conn != nil:
		return conn.Write(b)
	}
	for len(b) > sent {
		n, err := again(func() (int, error) { return unix.Write(fd, b[sent:]) })
		if err == nil {
			sent += n
			continue
		}
		if errors.Is(err, unix.EAGAIN) {
			if !deadline.IsZero() && time.Now().After(deadline) {
				return sent, os.ErrDeadlineExceeded
			}
			ready(fd, unix.POLLOUT, writeSlice)
		}
		return sent, err
	}
	return sent, nil
}

// Close is [net.Conn]. Off the poller the reader finds the end, and lets the file go.
func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	if l.conn != nil {
		return l.conn.Close()
	}
	return unix.Shutdown(l.fd, unix.SHUT_RDWR)
}

// LocalAddr is [net.Conn].
func (l *line) LocalAddr() net.Addr { return l.local }

// RemoteAddr is [net.Conn].
func (l *line) RemoteAddr() net.Addr { return l.remote }

// SetDeadline is [net.Conn].
func (l *line) SetDeadline(t time.Time) error {
	return errors.Join(l.SetReadDeadline(t), l.SetWriteDeadline(t))
}

// SetReadDeadline is [net.Conn]. Off the poller there is none.
func (l *line) SetReadDeadline(t time.Time) error {
	conn, _, _, err := l.now()
	if conn == nil {
		return err
	}
	return conn.SetReadDeadline(t)
}

// SetWriteDeadline is [net.Conn].
func (l *line) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	if l.conn == nil {
		return nil
	}
	return l.conn.SetWriteDeadline(t)
}

// ready waits until the socket fd is ready for what events say, or has ended, or the time is over.
func ready(fd int, events int16, d time.Duration) bool {
	n, err := again(func() (int, error) {
		return unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, int(d.Milliseconds()))
	})
	return err == nil && n > 0
}
