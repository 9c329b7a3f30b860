package rfb

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// ServerScanner finds the messages in what a server sends to a client after the handshake, whatever pieces the bytes
// come in, and decodes nothing. It knows a closed list of encodings ([Walkable]); the client must not announce others.
// It holds at most 12 bytes and allocates nothing.
//
// One goroutine calls Next. SetPixelFormat and FixFormat may be called by another one. The zero value is usable.
//
// The sizes of most rectangles depend on the pixel format, and nothing in the stream says from which update on a server
// minds a SetPixelFormat. So the format is fixed before the server can send pixels (FixFormat); afterwards only formats
// with pixels of the same length are taken.
type ServerScanner struct {
	format atomic.Uint32 // Bytes of a pixel, and shifted by 8 those of a TPIXEL (rfbproto, Tight).
	fixed  bool          // Pixels may come. Only the caller of SetPixelFormat looks at it.

	held  [12]byte // The beginning of a ServerCutText.
	holds int
	given bool // What is held was given.

	typ     ServerMessageType
	running bool  // A message is under way.
	skip    int64 // Bytes until there is something to read.
	head    [12]byte
	have    int // Of head.
	want    int // Of head.
	step    func(*ServerScanner, []byte) error
	rect    rectangleWalk
	err     error
}

// ServerMessageType is the first byte of a message from a server.
type ServerMessageType uint8

// What servers send: RFC 6143 section 7.6, and the extensions that rfbproto registers.
const (
	MsgFramebufferUpdate      ServerMessageType = 0
	MsgSetColourMapEntries    ServerMessageType = 1
	MsgBell                   ServerMessageType = 2
	MsgServerCutText          ServerMessageType = 3
	MsgEndOfContinuousUpdates ServerMessageType = 150
	MsgServerFence            ServerMessageType = 248
	MsgServerXVP              ServerMessageType = 250
)

// ServerMessage is a whole message of a server, or a piece of one.
type ServerMessage struct {
	Type ServerMessageType
	// Bytes is the message or the piece; nil when there is none. The first piece of a ServerCutText has at least the
	// eight bytes up to its length, and twelve, including the flags, where the clipboard is extended.
	Bytes []byte
	// First and Last are both set for a whole message.
	First, Last bool
	// Held says that Bytes are the scanner's own, until the next call, and not a part of what Next was given.
	Held bool
}

// ServerMessageError says that a server sent something whose end cannot be told, so nothing behind it can be read.
type ServerMessageError struct{ What string }

// Error says what came.
func (e *ServerMessageError) Error() string {
	return "rfb: server message cannot be walked over: " + e.What
}

// FormatError says that a client asked for a pixel format that a [ServerScanner] cannot take, or not any more.
type FormatError struct {
	Format PixelFormat
	Late   bool // Pixels of another format may be on their way.
}

// Error says what is wrong with the format.
func (e *FormatError) Error() string {
	if e.Late {
		return fmt.Sprintf("rfb: pixels of %d bits are asked for when those of another format may be on their way", e.Format.BitsPerPixel)
	}
	return fmt.Sprintf("rfb: pixel format %+v is not supported here", e.Format)
}

// SetPixelFormat takes the format of ServerInit and, before it reaches the server, of every SetPixelFormat.
// Errors: [*FormatError].
func (s *ServerScanner) SetPixelFormat(p PixelFormat) error {
	pixel := uint32(p.BitsPerPixel) / 8
	if p.BitsPerPixel != 8 && p.BitsPerPixel != 16 && p.BitsPerPixel != 32 {
		return &FormatError{Format: p}
	}
	tpixel := pixel
	if p.TrueColour && p.BitsPerPixel == 32 && p.Depth == 24 && p.RedMax == 255 && p.GreenMax == 255 && p.BlueMax == 255 {
		// Servers differ on whether these are shortened when a colour is not a byte of the pixel.
		if (p.RedShift|p.GreenShift|p.BlueShift)&7 != 0 {
			return &FormatError{Format: p}
		}
		tpixel = 3
	}
	format := pixel | tpixel<<8
	if s.fixed && format != s.format.Load() {
		return &FormatError{Format: p, Late: true}
	}
	s.format.Store(format)
	return nil
}

// FixFormat notes that the server may send pixels from now on. It must be called before the server can get the first
// message that is no SetPixelFormat: TurboVNC's Xvnc sends the pointer's picture without a request for an update.
func (s *ServerScanner) FixFormat() { s.fixed = true }

// Next takes the next message, or a piece of one, from the front of b and gives what is behind it. A message without
// Bytes means that all of b is taken and more must come. The error is a [*ServerMessageError], and it stays.
func (s *ServerScanner) Next(b []byte) (m ServerMessage, rest []byte, err error) {
	if s.given {
		s.holds, s.given = 0, false
	}
	switch {
	case s.err != nil:
		return ServerMessage{}, b, s.err
	case len(b) == 0:
		return ServerMessage{}, nil, nil
	case s.holds > 0 || !s.running && ServerMessageType(b[0]) == MsgServerCutText:
		return s.cutText(b)
	}
	m = ServerMessage{First: !s.running}
	n := 0
	if m.First {
		s.typ = ServerMessageType(b[0])
		n = 1
		err = s.begin()
	}
	if err == nil {
		var walked int
		walked, err = s.walk(b[n:])
		n += walked
	}
	if err != nil {
		s.err = err
		return ServerMessage{}, b, err
	}
	m.Type, m.Bytes, m.Last = s.typ, b[:n], !s.running
	return m, b[n:], nil
}

// cutText gives the first piece of a clipboard message as soon as it says what it is.
func (s *ServerScanner) cutText(b []byte) (m ServerMessage, rest []byte, err error) {
	want := 8
	if s.holds >= want {
		want = 12 // It is extended.
	}
	for {
		n := copy(s.held[s.holds:want], b)
		s.holds += n
		b = b[n:]
		if s.holds < want {
			return ServerMessage{}, nil, nil
		}
		length := int64(int32(binary.BigEndian.Uint32(s.held[4:])))
		if length < 0 {
			// The extended clipboard (rfbproto): flags, then the rest of as many bytes.
			length = -length
			if length < 4 {
				s.err = unwalkable("a clipboard of %d bytes with flags", length)
				return ServerMessage{}, b, s.err
			}
			if want == 8 {
				want = 12
				continue
			}
			length -= 4
		}
		s.typ, s.given, s.skip, s.step = MsgServerCutText, true, length, nil
		s.running = length > 0
		return ServerMessage{Type: s.typ, Bytes: s.held[:s.holds], First: true, Last: !s.running, Held: true}, b, nil
	}
}

// begin prepares for the rest of a message of type typ.
func (s *ServerScanner) begin() error {
	s.running, s.skip, s.step = true, 0, nil
	switch s.typ {
	case MsgFramebufferUpdate:
		s.read(3, (*ServerScanner).updateHead)
	case MsgSetColourMapEntries:
		s.read(5, func(s *ServerScanner, b []byte) error {
			s.skip = 6 * int64(binary.BigEndian.Uint16(b[3:]))
			return nil
		})
	case MsgBell, MsgEndOfContinuousUpdates:
	case MsgServerFence:
		s.read(8, func(s *ServerScanner, b []byte) error {
			s.skip = int64(b[7])
			return nil
		})
	case MsgServerXVP:
		s.skip = 3
	default:
		return unwalkable("unknown type %d", s.typ)
	}
	return nil
}

// read lets step have the next n bytes behind what is skipped.
func (s *ServerScanner) read(n int, step func(*ServerScanner, []byte) error) {
	s.have, s.want, s.step = 0, n, step
}

// walk goes on with the message that is under way, up to its end or that of b, and gives how far it came.
func (s *ServerScanner) walk(b []byte) (n int, err error) {
	for {
		k := min(s.skip, int64(len(b)-n))
		s.skip -= k
		n += int(k)
		switch {
		case s.skip > 0:
			return n, nil
		case s.step == nil:
			s.running = false
			return n, nil
		}
		k = int64(copy(s.head[s.have:s.want], b[n:]))
		s.have += int(k)
		n += int(k)
		if s.have < s.want {
			return n, nil
		}
		step := s.step
		s.step = nil
		if err := step(s, s.head[:s.have]); err != nil {
			return n, err
		}
	}
}

// unwalkable makes an error.
func unwalkable(format string, args ...any) error {
	return &ServerMessageError{What: fmt.Sprintf(format, args...)}
}
