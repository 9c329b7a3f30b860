package stream

import (
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// calm is how long nothing comes before a line goes back to the poller, and rushPieces large ones, each within that
	// time of the one before, take it off.
	calm       = 10 * time.Millisecond
	rushPieces = 8
)

// rush is what a source knows of how much comes by its line.
type rush struct {
	line   *line // Nil where there is none.
	pieces int
	last   time.Time // When the last large piece came.
	off    bool      // The line is off the poller.
	fd     int       // Then.
}

// places bounds how many lines are off the poller at a time.
type places chan struct{}

// newPlaces makes a place for each processor: more streams cannot be in a hurry.
func newPlaces() places { return make(places, runtime.GOMAXPROCS(0)) }

// begin looks whether conn is a line.
func (s *source) begin(conn net.Conn) {
	if s.line, _ = conn.(*line); s.line != nil {
		s.raw = waitable(s.line.conn)
	}
}

// wait reads as soon as there is something.
func (s *source) wait() error {
	if s.line == nil || s.pipes == nil {
		return s.raw.Read(s.read)
	}
	s.notice()
	for s.off {
		if s.tryRead(uintptr(s.fd)) {
			return nil
		}
		if !ready(s.fd, unix.POLLIN, calm) {
			if err := s.settle(); err != nil {
				return err
			}
		}
	}
	return s.raw.Read(s.read)
}

// notice takes the line off the poller when one large piece follows the other.
func (s *source) notice() {
	if s.off {
		return
	}
	now := time.Now()
	if !s.full || now.Sub(s.last) > calm {
		s.pieces = 0
	}
	s.last = now
	if s.pieces++; s.pieces <= rushPieces {
		return
	}
	s.pieces = 0
	select {
	case s.pipes.places <- struct{}{}:
	default:
		return
	}
	if s.fd, s.off = s.line.leave(); !s.off {
		<-s.pipes.places
	}
}

// settle puts the line back on the poller if it is off. A source that has a line ends with it.
func (s *source) settle() error {
	if !s.off {
		return nil
	}
	s.off = false
	defer func() { <-s.pipes.places }()
	if err := s.line.back(); err != nil {
		return err
	}
	s.raw = waitable(s.line.conn)
	return nil
}
