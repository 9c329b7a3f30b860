package stream

import (
	"io"
	"net"
	"syscall"
)

// ownBufferSize is what a source reads at once, in bytes, from a connection that gives no way to wait without a buffer,
// until more than that comes at once.
const ownBufferSize = 4 << 10

// source reads from a connection without holding a buffer while nothing comes: it waits until the kernel has bytes and
// borrows a buffer only then. Connections that give no way to wait so are read with a small buffer of their own.
type source struct {
	conn    net.Conn
	buffers *buffers

	raw  syscall.RawConn
	read func(fd uintptr) bool // Made once: a closure per read would be an allocation per read.

	// Of the read under way.
	limit int
	buf   *[]byte
	n     int
	err   error

	own  []byte // Where raw is nil.
	full bool   // The last read gave much, so more is likely to wait.
}

func newSource(conn net.Conn, b *buffers) *source {
	s := &source{conn: conn, buffers: b, raw: waitable(conn)}
	s.read = s.tryRead
	return s
}

// next waits for bytes and gives at most limit of them to use, behind headRoom bytes that use may write to. Its error is
// the connection's, or use's; io.EOF when the peer has ended its side.
func (s *source) next(limit int, use func([]byte) error) error {
	if s.raw == nil {
		return s.nextBlocking(limit, use)
	}
	s.limit, s.n, s.err = limit, 0, nil
	defer func() {
		if s.buf != nil {
			s.buffers.put(s.buf)
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
	return use((*s.buf)[:headRoom+s.n])
}

// nextBlocking is next for connections that can only be read. A buffer is borrowed when the own one did not suffice.
func (s *source) nextBlocking(limit int, use func([]byte) error) error {
	if s.own == nil {
		s.own = make([]byte, headRoom+ownBufferSize)
	}
	b := s.own
	if s.full {
		large := s.buffers.get()
		defer s.buffers.put(large)
		b = *large
	}
	b = b[:min(headRoom+limit, len(b))]
	n, err := s.conn.Read(b[headRoom:])
	s.full = n > ownBufferSize/2
	if n > 0 {
		if uerr := use(b[:headRoom+n]); uerr != nil {
			return uerr
		}
	}
	return err
}
