package stream

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// sink writes to a connection and gives up on a peer that takes nothing. It is used by one goroutine at a time. What the
// kernel takes at once goes out without a timer being set for it. A task that writes to a line in a loop lets the loop go
// on while it waits.
type sink struct {
	conn    net.Conn
	timeout time.Duration
}

func newSink(conn net.Conn, timeout time.Duration) *sink { return &sink{conn: conn, timeout: timeout} }

// inLoop tells whether tasks wait for the connection in a loop; then Move may be called.
func (s *sink) inLoop() bool {
	l, _ := looped(s.conn)
	return l != nil
}

// Write writes b for a task or, without one, for anybody; more says that other bytes follow at once. Its error is a
// time-out when the peer has not taken all of b in time.
func (s *sink) Write(t *task, b []byte, more bool) (sent int, err error) {
	l, isLine := s.conn.(*line)
	if isLine {
		if sent, err = l.offer(b, more); sent == len(b) || err != nil {
			return sent, err
		}
	}
	if t != nil && s.inLoop() {
		for deadline := time.Now().Add(s.timeout); sent < len(b) && err == nil; {
			if err = t.wait(l, writable, deadline); err == nil {
				var n int
				n, err = l.offer(b[sent:], more)
				sent += n
			}
		}
		return sent, err
	}
	err = s.inTime(func() error {
		n, err := s.conn.Write(b[sent:])
		sent += n
		return err
	})
	return sent, err
}

// Move writes all that p holds and gives how much that was. Its error is like Write's.
func (s *sink) Move(t *task, p *pipe) (sent int, err error) {
	held := p.held
	l, fd := looped(s.conn)
	var deadline time.Time
	for err = p.drain(fd); errors.Is(err, syscall.EAGAIN); {
		if deadline.IsZero() {
			deadline = time.Now().Add(s.timeout)
		}
		if err = t.wait(l, writable, deadline); err == nil {
			err = p.drain(fd)
		}
	}
	return held - p.held, err
}

// inTime does something for which the peer has the sink's time-out.
func (s *sink) inTime(do func() error) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return s.conn.SetWriteDeadline(time.Time{}) // It would spoil the next write, which sets none.
}
