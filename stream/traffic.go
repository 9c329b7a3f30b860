package stream

// pictureBytes is what a client has been sent when it has a picture, in bytes: the handshake of RFB is far below, the
// first picture of a desktop above.
const pictureBytes = 4 << 10

// Traffic is what has passed between clients and desktops since the gateway was made, in bytes: the streams that have
// ended and those that are open.
type Traffic struct {
	// Received came from clients, Sent went to them.
	Received, Sent int64
}

func (t *Traffic) add(c *clientConn) {
	t.Received += c.received.Load()
	t.Sent += c.sent.Load()
}

// Traffic gives what has passed so far.
func (g *Gateway) Traffic() Traffic {
	g.mu.Lock()
	defer g.mu.Unlock()
	sum := g.ended
	for s := range g.streams {
		s.account(&sum)
	}
	return sum
}

// account adds what the stream has carried.
func (s *stream) account(sum *Traffic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		if c, ok := conn.(*clientConn); ok {
			sum.add(c)
		}
	}
}
