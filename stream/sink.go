package stream

import (
	"net"
	"syscall"
	"time"
)

// sink writes to a connection and gives up on a peer that takes nothing. What the kernel takes at once goes out without
// a timer being set for it. It is used by one goroutine at a time.
type sink struct {
	conn    net.Conn
	timeout time.Duration

	raw   syscall.RawConn
	write func(fd uintptr) bool // Made once, like a source's read.
	rest  []byte                // Of the write under way.
}

func newSink(conn net.Conn, timeout time.Duration) *sink {
	s := &sink{conn: conn, timeout: timeout, raw: waitable(conn)}
	s.write = s.tryWrite
	return s
}

// Write is [io.Writer]. Its error is a time-out when the peer has not taken all of b in time.
func (s *sink) Write(b []byte) (int, error) {
	rest := b
	if s.raw != nil {
		s.rest = b
		err := s.raw.Write(s.write)
		rest, s.rest = s.rest, nil
		if err != nil {
			return len(b) - len(rest), err
		}
		if len(rest) == 0 {
			return len(b), nil
		}
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return len(b) - len(rest), err
	}
	n, err := s.conn.Write(rest)
	if err == nil {
		err = s.conn.SetWriteDeadline(time.Time{}) // It would spoil the next write, which sets none.
	}
	return len(b) - len(rest) + n, err
}
