package rfb

// ClientScanner finds the messages in what a client sends to a server after the handshake, whatever pieces the bytes
// come in. It holds the beginning of a message whose end has not come, at most about 4 KiB, and allocates nothing else.
// It is used by one goroutine. The zero value is usable.
//
// Two kinds of message may be long, ClientCutText and gii; they are given in pieces as they come, never collected.
type ClientScanner struct {
	// PlainPointer says that ExtendedMouseButtons (rfbproto) never reaches the server, whatever SetEncodings says, so
	// that every PointerEvent has its plain six bytes.
	PlainPointer bool

	held  []byte // The beginning of a message, or the whole of one that was just given.
	given bool   // What is held was given: it is forgotten with the next call.
	typ   ClientMessageType
	left  int64 // What is still to come of a message that is given in pieces.
	mouse bool  // PointerEvent may have seven bytes.
	err   error
}

// Next takes the next message, or a piece of one, from the front of b and gives what is behind it. A message without
// Bytes means that all of b is taken and more must come. The error is an [*UnknownMessageError]; it stays: [Held], then
// rest, are what was not given.
//
// [Held]: ClientScanner.Held
func (s *ClientScanner) Next(b []byte) (m ClientMessage, rest []byte, err error) {
	if s.given {
		s.held, s.given = s.held[:0], false
	}
	switch {
	case s.err != nil:
		return ClientMessage{}, b, s.err
	case len(b) == 0:
		return ClientMessage{}, nil, nil
	case s.left > 0:
		n := int(min(s.left, int64(len(b))))
		s.left -= int64(n)
		return ClientMessage{Type: s.typ, Bytes: b[:n], Last: s.left == 0}, b[n:], nil
	case len(s.held) > 0:
		return s.resume(b)
	}
	n, known, err := measureClient(b, s.mouse)
	switch {
	case err != nil:
		s.err = err
		return ClientMessage{}, b, err
	case known && int64(len(b)) >= n:
		return s.whole(b[:n]), b[n:], nil
	case known && comesInPieces(b):
		return s.begin(b, n), nil, nil
	}
	s.held = append(s.held, b...)
	return ClientMessage{}, nil, nil
}

// resume goes on with a message whose beginning is held.
func (s *ClientScanner) resume(b []byte) (m ClientMessage, rest []byte, err error) {
	for {
		n, known, err := measureClient(s.held, s.mouse)
		switch {
		case err != nil:
			s.err = err
			return ClientMessage{}, b, err
		case known && int64(len(s.held)) == n:
			s.given = true
			m := s.whole(s.held)
			m.Held = true
			return m, b, nil
		case known && comesInPieces(s.held):
			s.given = true
			m := s.begin(s.held, n)
			m.Held = true
			return m, b, nil
		case len(b) == 0:
			return ClientMessage{}, nil, nil
		case known && isLong(s.held):
			n = extendedHead // It only lacks its flags.
		}
		take := min(int(n)-len(s.held), len(b))
		s.held = append(s.held, b[:take]...)
		b = b[take:]
	}
}

// whole gives a whole message and minds what it means for those that follow.
func (s *ClientScanner) whole(b []byte) ClientMessage {
	m := ClientMessage{Type: ClientMessageType(b[0]), Bytes: b, First: true, Last: true}
	if m.Type == MsgSetEncodings && !s.PlainPointer {
		s.mouse = false
		for e := range m.Encodings() {
			s.mouse = s.mouse || e == EncodingExtendedMouse
		}
	}
	return m
}

// begin gives the first piece of a message of n bytes.
func (s *ClientScanner) begin(b []byte, n int64) ClientMessage {
	s.typ, s.left = ClientMessageType(b[0]), n-int64(len(b))
	return ClientMessage{Type: s.typ, Bytes: b, First: true}
}

// Held gives the bytes of a message that has begun and was not given yet.
func (s *ClientScanner) Held() []byte {
	if s.given {
		return nil
	}
	return s.held
}

// extendedHead is how much of an extended ClientCutText says what it is, in bytes.
const extendedHead = 12

// isLong reports whether b begins a message of a kind that is given in pieces.
func isLong(b []byte) bool {
	t := ClientMessageType(b[0])
	return t == MsgClientCutText || t == MsgGII
}

// comesInPieces reports whether b, which measures but is not whole, is long enough to be the first piece of its message.
func comesInPieces(b []byte) bool {
	if !isLong(b) {
		return false
	}
	extended := ClientMessageType(b[0]) == MsgClientCutText && b[4]&0x80 != 0
	return !extended || len(b) >= extendedHead
}
