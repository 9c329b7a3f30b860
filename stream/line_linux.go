package stream

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// line is a connection that can join a loop. Before, it is the connection that it was made of. Then its two sides are
// for the tasks that wait for it; whatever else writes to it waits as a thread of its own.
//
// One task at a time reads and one writes; anybody may do the rest at any time, until release.
type line struct {
	local, remote net.Addr

	writing sync.Mutex // Held while something is written by conn, and when that ends. It is taken before mu.

	mu       sync.Mutex
	conn     net.Conn        // Nil once it is in a loop.
	raw      syscall.RawConn // Of conn.
	fd       int             // Then; -1 when it is released.
	loop     *loop           // Then.
	closed   bool
	deadline time.Time // Of writes by others than tasks.

	// Guarded by the loop's mu.
	waits  [sides]wait
	armed  uint32 // What the kernel tells of it, once.
	broken bool   // The connection is: it gives and takes without any wait.
	ended  bool   // It was closed at this side.
}

// newLine gives conn as a line, or conn itself where its kind cannot be one.
func newLine(conn net.Conn) net.Conn {
	raw := waitable(conn)
	if raw == nil {
		return conn
	}
	return &line{local: conn.LocalAddr(), remote: conn.RemoteAddr(), conn: conn, raw: raw, fd: -1}
}

// looped gives conn as a line that is in a loop, and its file.
func looped(conn net.Conn) (l *line, fd int) {
	l, ok := conn.(*line)
	if !ok {
		return nil, -1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loop == nil {
		return nil, -1
	}
	return l, l.fd
}

// join puts the lines into a loop, or none of them, where that cannot be or one is none. Nobody reads from them.
func (l loops) join(conns ...net.Conn) {
	if len(l) == 0 {
		return
	}
	loop := l.pick()
	var fds []int
	for _, conn := range conns {
		v, ok := conn.(*line)
		if !ok {
			break
		}
		fd, err := v.duplicate()
		if err != nil {
			break
		}
		if err := loop.add(v, fd); err != nil {
			_ = unix.Close(fd)
			break
		}
		fds = append(fds, fd)
	}
	for i, fd := range fds {
		if len(fds) == len(conns) {
			conns[i].(*line).enter(loop, fd)
			continue
		}
		loop.remove(fd)
		_ = unix.Close(fd)
	}
}

// duplicate gives a second file for the connection.
func (l *line) duplicate() (fd int, err error) {
	fd, err = -1, net.ErrClosed
	l.control(func(own int) { fd, err = unix.FcntlInt(uintptr(own), unix.F_DUPFD_CLOEXEC, 0) })
	return fd, err
}

// enter makes it go on by a second file, in a loop. The runtime forgets it.
func (l *line) enter(loop *loop, fd int) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.Close() // The connection has its other file.
	l.conn, l.raw, l.loop, l.fd = nil, nil, loop, fd
	if l.closed {
		loop.end(l)
	}
}

// release gives the file back. Nobody waits for the line any more.
func (l *line) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loop == nil || l.fd < 0 {
		return
	}
	l.closed = true
	l.loop.remove(l.fd)
	_ = unix.Close(l.fd)
	l.fd = -1
}

// arm lets a task wait.
func (l *line) arm(w wait) { l.loop.arm(w, l.fd) }

// now gives the connection that it was made of, nil once it is in a loop.
func (l *line) now() (conn net.Conn, deadline time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, time.Time{}, net.ErrClosed
	}
	return l.conn, l.deadline, nil
}

// offer writes what the kernel takes of b at once; more says that other bytes follow at once.
func (l *line) offer(b []byte, more bool) (sent int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return 0, net.ErrClosed
	case l.conn != nil:
		return offerBy(l.raw, b, more)
	}
	return offer(l.fd, b, more)
}

// offerBy is offer for a connection that is not in a loop. It stands by itself, as what its closure holds is allocated.
func offerBy(raw syscall.RawConn, b []byte, more bool) (sent int, err error) {
	if cerr := raw.Control(func(fd uintptr) { sent, err = offer(int(fd), b, more) }); cerr != nil {
		return 0, cerr
	}
	return sent, err
}

func offer(fd int, b []byte, more bool) (sent int, err error) {
	for sent < len(b) {
		n, err := send(fd, b[sent:], more)
		switch err {
		case nil:
			sent += n
		case unix.EINTR:
		case unix.EAGAIN:
			return sent, nil
		default:
			return sent, os.NewSyscallError("write", err)
		}
	}
	return sent, nil
}

// Read is [net.Conn]. It is of no use in a loop.
func (l *line) Read(b []byte) (int, error) {
	conn, _, err := l.now()
	if err != nil {
		return 0, err
	}
	if conn == nil {
		return 0, errors.ErrUnsupported
	}
	return conn.Read(b)
}

// Write is [net.Conn].
func (l *line) Write(b []byte) (sent int, err error) {
	l.writing.Lock()
	conn, deadline, err := l.now()
	if err == nil && conn != nil {
		defer l.writing.Unlock()
		return conn.Write(b)
	}
	l.writing.Unlock()
	if err != nil {
		return 0, err
	}
	for {
		n, err := l.offer(b[sent:], false)
		if sent += n; sent == len(b) || err != nil {
			return sent, err
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			return sent, os.ErrDeadlineExceeded
		}
		if err := l.awaitSpace(); err != nil {
			return sent, err
		}
	}
}

// awaitSpace waits a little until the kernel takes more. It has a file of its own meanwhile, since the line's may be
// released.
func (l *line) awaitSpace() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	fd, err := unix.FcntlInt(uintptr(l.fd), unix.F_DUPFD_CLOEXEC, 0)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const slice = 10 * time.Millisecond
	_, err = again(func() (int, error) {
		return unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(slice.Milliseconds()))
	})
	return err
}

// Close is [net.Conn]. In a loop, its tasks are told that it has ended; the peer is told by release. (Shutting it down at
// once would leave a peer in the dark that the kernel's buffers make wait, see tcp(7) on the zero window.)
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
	l.loop.end(l)
	return nil
}

// CloseWrite ends one direction, where the connection's kind can do that.
func (l *line) CloseWrite() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return net.ErrClosed
	case l.conn == nil:
		return unix.Shutdown(l.fd, unix.SHUT_WR)
	}
	closeWrite(l.conn)
	return nil
}

// control calls f with the connection's file, if there is one.
func (l *line) control(f func(fd int)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
	case l.conn == nil:
		f(l.fd)
	default:
		_ = l.raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// LocalAddr is [net.Conn].
func (l *line) LocalAddr() net.Addr { return l.local }

// RemoteAddr is [net.Conn].
func (l *line) RemoteAddr() net.Addr { return l.remote }

// SetDeadline is [net.Conn].
func (l *line) SetDeadline(t time.Time) error {
	return errors.Join(l.SetReadDeadline(t), l.SetWriteDeadline(t))
}

// SetReadDeadline is [net.Conn]. In a loop there is none.
func (l *line) SetReadDeadline(t time.Time) error {
	conn, _, err := l.now()
	if conn == nil {
		return err
	}
	return conn.SetReadDeadline(t)
}

// SetWriteDeadline is [net.Conn]. In a loop it is for others than tasks.
func (l *line) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	if l.conn == nil {
		return nil
	}
	return l.conn.SetWriteDeadline(t)
}
