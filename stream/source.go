package stream

import (
	"io"
	"net"
	"syscall"
)

// source reads from a connection without holding a buffer while nothing comes: it waits until the kernel has bytes and
// borrows a buffer only then. Connections that give no way to wait so are read with a small buffer of their own.
type source struct {
	conn    net.Conn
	buffers *buffers

	raw  syscall.RawConn
	read func(fd uintptr) bool // Made once: a closure per read would be an allocation per read.

	// Of the read under way.
	limit int
	buf   *[bufferSize]byte
	n     int
	err   error

	own  []byte // Where raw is nil.
	full bool   // The last read filled its buffer, so more is likely to wait.
}

func newSource(conn net.Conn, b *buffers) *source {
	s := &source{conn: conn, buffers: b, raw: waitable(conn)}
	s.read = s.tryRead
	return s
}

// next waits for bytes and gives at most limit of them to use. Its error is the connection's, or use's; io.EOF when
// the peer has ended its side.
func (s *source) next(limit int, use func([]byte) error) error {
	if s.raw == nil {
		return s.nextBlocking(limit, use)
	}
	s.limit, s.n, s.err = limit, 0, nil
	defer func() {
		if s.buf != nil {
			s.buffers.putLarge(s.buf)
			s.buf = nil
		}
	}()
	if err := s.raw.Read(s.read); err != nil {
		return err
	}
	switch {
	case s.err != nil:
		return s.err
	case s.n == 0:
		return io.EOF
	}
	return use(s.buf[:s.n])
}

// nextBlocking is next for connections that can only be read. A buffer is borrowed when the own one did not suffice.
func (s *source) nextBlocking(limit int, use func([]byte) error) error {
	if s.own == nil {
		s.own = make([]byte, 4<<10)
	}
	b := s.own
	if s.full {
		large := s.buffers.getLarge()
		defer s.buffers.putLarge(large)
		b = large[:]
	}
	b = b[:min(limit, len(b))]
	n, err := s.conn.Read(b)
	s.full = n == len(b)
	if n > 0 {
		if uerr := use(b[:n]); uerr != nil {
			return uerr
		}
	}
	return err
}
