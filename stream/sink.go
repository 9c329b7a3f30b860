package stream

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// sink writes to a connection and gives up on a peer that takes nothing. What the kernel takes at once goes out without
// a timer being set for it. It is used by one goroutine at a time.
type sink struct {
	conn    net.Conn
	timeout time.Duration

	raw         syscall.RawConn
	write, move func(fd uintptr) bool // Made once, like a source's read.

	// Of the write under way.
	rest []byte
	more bool
	pipe *pipe
	wait bool // Until the kernel takes more.
	err  error
}

func newSink(conn net.Conn, timeout time.Duration) *sink {
	s := &sink{conn: conn, timeout: timeout, raw: waitable(conn)}
	s.write, s.move = s.tryWrite, s.tryMove
	return s
}

// takesPipes tells whether Move may be called.
func (s *sink) takesPipes() bool { return s.raw != nil && splices }

// Write is [io.Writer]. Its error is a time-out when the peer has not taken all of b in time.
func (s *sink) Write(b []byte) (int, error) { return s.writeBefore(b, false) }

// writeBefore is Write; more says that other bytes follow at once.
func (s *sink) writeBefore(b []byte, more bool) (int, error) {
	rest := b
	if s.raw != nil {
		s.rest, s.more = b, more
		err := s.raw.Write(s.write)
		rest, s.rest = s.rest, nil
		if err != nil {
			return len(b) - len(rest), err
		}
		if len(rest) == 0 {
			return len(b), nil
		}
	}
	n := 0
	err := s.inTime(func() (err error) {
		n, err = s.conn.Write(rest)
		return err
	})
	return len(b) - len(rest) + n, err
}

// Move writes all that p holds and gives how much that was. Its error is like Write's.
func (s *sink) Move(p *pipe) (int, error) {
	held := p.held
	s.pipe, s.wait = p, false
	defer func() { s.pipe = nil }()
	err := s.raw.Write(s.move)
	if err == nil && errors.Is(s.err, syscall.EAGAIN) {
		s.wait = true
		err = s.inTime(func() error { return s.raw.Write(s.move) })
	}
	if err == nil && s.err != nil {
		err = os.NewSyscallError("splice", s.err)
	}
	return held - p.held, err
}

// tryMove moves what the kernel takes at once; false means that the caller is to wait until it takes more.
func (s *sink) tryMove(fd uintptr) bool {
	s.err = s.pipe.drain(int(fd))
	return !s.wait || !errors.Is(s.err, syscall.EAGAIN)
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
