package ws

import "encoding/binary"

// Decoder reads the frames of one peer from bytes that come in pieces of any size. Its zero value is not usable, see
// [NewDecoder]. It is used by one goroutine.
type Decoder struct {
	masked     bool  // As the peer's frames have to be.
	maxMessage int64 // Bytes.

	head    [MaxHead + 4]byte // Of the frame under way.
	headLen int               // How much of it has come; 0 between two frames.

	inHead  bool
	op      Opcode
	final   bool
	key     [4]byte
	left    int64 // Of the frame's payload.
	pos     int   // In the payload, for the mask.
	message int64 // Bytes of the message under way, as far as its frames have been announced.
	open    bool  // A message has begun whose last frame has not.

	control    []byte // The payload of a control frame, where it comes in pieces.
	controlBuf [MaxControl]byte
}

// NewDecoder makes a Decoder of frames that have to be masked (a client's) or must not be (a server's), and of messages
// with at most maxMessage bytes.
func NewDecoder(masked bool, maxMessage int64) *Decoder {
	return &Decoder{masked: masked, maxMessage: maxMessage, inHead: true}
}

// Event is what bytes were found to mean. Its zero value means: nothing yet.
type Event struct {
	// Op is Binary for a piece of a binary message, or Ping, Pong or Close for a whole control frame.
	Op Opcode
	// Payload is a part of the bytes that were given, or the Decoder's own until its next call.
	Payload []byte
}

// Next looks at b and gives the first event in it and how many bytes that took, at least one. It takes the mask away
// from b in place. Its error is an [*Error]; the Decoder must not be used after one.
func (d *Decoder) Next(b []byte) (Event, int, error) {
	used := 0
	if d.inHead {
		n, err := d.takeHead(b)
		if err != nil || d.inHead {
			return Event{}, n, err
		}
		used = n
	}
	if d.op.control() {
		return d.takeControl(b, used)
	}
	piece := b[used:]
	if int64(len(piece)) > d.left {
		piece = piece[:d.left]
	}
	d.unmask(piece)
	if d.left -= int64(len(piece)); d.left == 0 {
		d.inHead = true
	}
	used += len(piece)
	if len(piece) == 0 {
		return Event{}, used, nil
	}
	return Event{Binary, piece}, used, nil
}

func (d *Decoder) unmask(b []byte) {
	if d.masked {
		d.pos = Mask(b, d.key, d.pos)
	}
}

// takeHead takes what b has of a frame's head; afterwards inHead tells whether some is missing.
func (d *Decoder) takeHead(b []byte) (used int, err error) {
	for want := d.headSize(); d.headLen < want; want = d.headSize() {
		n := copy(d.head[d.headLen:want], b[used:])
		if n == 0 {
			return used, nil
		}
		used += n
		d.headLen += n
	}
	d.headLen = 0
	d.inHead = false
	return used, d.begin()
}

// headSize is the length of the head under way, as far as one can tell yet.
func (d *Decoder) headSize() int {
	size := 2
	if d.headLen < size {
		return size
	}
	switch d.head[1] &^ maskBit {
	case length16:
		size += 2
	case length64:
		size += 8
	}
	if d.head[1]&maskBit != 0 {
		size += len(d.key)
	}
	return size
}

// begin checks a whole head and sets up for its payload (RFC 6455 section 5.2, 5.4 and 5.5).
func (d *Decoder) begin() error {
	first, second := d.head[0], d.head[1]
	d.op, d.final = Opcode(first&opcodeSet), first&finalBit != 0
	masked := second&maskBit != 0
	rest := d.head[2:]
	d.left = int64(second &^ maskBit)
	switch d.left {
	case length16:
		d.left, rest = int64(binary.BigEndian.Uint16(rest)), rest[2:]
	case length64:
		d.left, rest = int64(binary.BigEndian.Uint64(rest)), rest[8:]
	}
	d.pos = 0
	copy(d.key[:], rest)
	switch {
	case first&rsvBits != 0:
		return &Error{StatusProtocolError, "reserved bit is set, and no extension was agreed on"}
	case masked != d.masked && d.masked:
		return &Error{StatusProtocolError, "frame of a client is not masked"}
	case masked != d.masked:
		return &Error{StatusProtocolError, "frame of a server is masked"}
	case d.left < 0:
		return &Error{StatusProtocolError, "length of a frame has its highest bit set"}
	}
	if d.op.control() {
		return d.beginControl()
	}
	return d.beginData()
}

func (d *Decoder) beginControl() error {
	switch {
	case d.op > Pong:
		return &Error{StatusProtocolError, "frame of an unknown kind"}
	case !d.final || d.left > MaxControl:
		return &Error{StatusProtocolError, "control frame is in pieces or too long"}
	}
	d.control = d.controlBuf[:0]
	return nil
}

func (d *Decoder) beginData() error {
	switch {
	case d.op == Continuation && !d.open:
		return &Error{StatusProtocolError, "continuation of no message"}
	case d.op != Continuation && d.open:
		return &Error{StatusProtocolError, "message begins within a message"}
	case d.op == Text:
		return &Error{StatusUnsupportedData, "only binary messages are understood"}
	case d.op > Binary:
		return &Error{StatusProtocolError, "frame of an unknown kind"}
	}
	if d.op == Binary {
		d.message = 0
	}
	if d.left > d.maxMessage-d.message {
		return &Error{StatusTooBig, "message is too large"}
	}
	d.message += d.left
	d.open = !d.final
	d.inHead = d.left == 0
	return nil
}

// takeControl takes what b has behind used of a control frame's payload.
func (d *Decoder) takeControl(b []byte, used int) (Event, int, error) {
	piece := b[used:]
	if int64(len(piece)) > d.left {
		piece = piece[:d.left]
	}
	d.unmask(piece)
	d.control = append(d.control, piece...) // Within controlBuf.
	used += len(piece)
	if d.left -= int64(len(piece)); d.left > 0 {
		return Event{}, used, nil
	}
	d.inHead = true
	return Event{d.op, d.control}, used, nil
}
