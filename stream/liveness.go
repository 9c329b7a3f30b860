package stream

import "time"

// liveness judges, while a ping waits for its pong, whether the client is gone. A pong alone does not tell: to a slow
// client the ping arrives behind megabytes of pixels, and while the desktop takes no input, a pong that came is not
// read. So time runs only when it is the client's turn.
type liveness struct {
	timeout  time.Duration
	deadline time.Time
	seen     sighting
	mark     int64 // Once the client has taken so many bytes, it has the ping.
}

// sighting is what there is to see of a client at one moment.
type sighting struct {
	received int64 // Bytes that came from it, ever.
	taken    int64 // Bytes that its kernel has acknowledged, ever.
	waiting  int64 // Bytes that it has yet to acknowledge.
	unread   bool  // Its messages are not being read now, because the desktop takes none.
}

// newLiveness begins judging after a ping that was sent, or left to be sent next, at a moment.
func newLiveness(pinged time.Time, timeout time.Duration, first sighting) *liveness {
	return &liveness{
		timeout:  timeout,
		deadline: pinged.Add(timeout),
		seen:     first,
		// The ping may queue behind one more read's worth of data.
		mark: first.taken + first.waiting + bufferSize,
	}
}

// gone takes the next sighting and reports whether the client has let its time pass.
func (l *liveness) gone(now time.Time, s sighting) bool {
	draining := s.waiting > 0 && s.taken > l.seen.taken && s.taken < l.mark
	if s.unread || s.received != l.seen.received || draining {
		l.deadline = now.Add(l.timeout)
	}
	l.seen = s
	return !now.Before(l.deadline)
}
