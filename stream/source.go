package stream

import (
	"io"
	"net"
	"syscall"
	"time"
)

const (
	// ownBufferSize is what a source reads at once, in bytes, from a connection that gives no way to wait without a
	// buffer, until more than that comes at once.
	ownBufferSize = 4 << 10
	// manyBytes at once are moved within the kernel from then on, and fewBytes are copied again. Moving costs a call more,
	// and copying what it copies.
	manyBytes, fewBytes = 32 << 10, 8 << 10
)

// source reads from a connection without holding a buffer while nothing comes: it waits until the kernel has bytes and
// borrows a buffer only then. Connections that give no way to wait so are read with a small buffer of their own.
type source struct {
	conn    net.Conn
	buffers *buffers
	pipes   *pipes // Nil where bytes are wanted in memory.

	task *task
	line *line // Where the connection is in a loop, and
	fd   int   // then.
	raw  syscall.RawConn
	read func(fd uintptr) bool // Made once: a closure per read would be an allocation per read.

	// Of the read under way.
	limit int
	buf   *[]byte
	pipe  *pipe
	n     int
	err   error

	own  []byte // Where there is no way to wait.
	full bool   // The last read gave much, so more is likely to wait.
}

// piece is what a source gives at once.
type piece struct {
	// buf has the bytes behind headRoom bytes that may be written to. It is nil where they are in a pipe.
	buf  []byte
	pipe *pipe
}

func (p piece) size() int {
	if p.pipe != nil {
		return p.pipe.held
	}
	return len(p.buf) - headRoom
}

// bytes gives what there is in memory.
func (p piece) bytes() []byte { return p.buf[headRoom:] }

// newSource makes a source for a task, with buffers of its own size; with pipes it may give them instead, when much comes.
func newSource(t *task, conn net.Conn, b *buffers, p *pipes) *source {
	s := &source{conn: conn, buffers: b, pipes: p, task: t, raw: waitable(conn)}
	s.line, s.fd = looped(conn)
	s.read = s.tryRead
	return s
}

// next waits for bytes and gives at most limit of them to use. Its error is the connection's, or use's; io.EOF when the
// peer has ended its side.
func (s *source) next(limit int, use func(piece) error) error {
	if s.raw == nil && s.line == nil {
		return s.nextBlocking(limit, use)
	}
	s.limit, s.n, s.err = limit, 0, nil
	defer s.giveBack()
	if err := s.wait(); err != nil {
		return err
	}
	switch {
	case s.err != nil:
		return s.err
	case s.n == 0:
		return io.EOF
	}
	if s.pipe != nil {
		s.full = s.n >= fewBytes
		return use(piece{pipe: s.pipe})
	}
	s.full = s.n >= manyBytes
	return use(piece{buf: (*s.buf)[:headRoom+s.n]})
}

// wait reads as soon as there is something.
func (s *source) wait() error {
	if s.line == nil {
		return s.raw.Read(s.read)
	}
	for {
		if err := s.task.wait(s.line, readable, time.Time{}); err != nil {
			return err
		}
		if s.tryRead(uintptr(s.fd)) {
			return nil
		}
	}
}

// giveBack gives back what was borrowed.
func (s *source) giveBack() {
	if s.buf != nil {
		s.buffers.put(s.buf)
		s.buf = nil
	}
	if s.pipe != nil {
		s.pipes.put(s.pipe)
		s.pipe = nil
	}
}

// nextBlocking is next for connections that can only be read. A buffer is borrowed when the own one did not suffice.
func (s *source) nextBlocking(limit int, use func(piece) error) error {
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
		if uerr := use(piece{buf: b[:headRoom+n]}); uerr != nil {
			return uerr
		}
	}
	return err
}
