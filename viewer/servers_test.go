package viewer_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"sage/viewer"
)

// serverModel reads a client's bytes as one of the two servers does, also where it departs from the specification. It is
// written from what their published sources do (TigerVNC's SMsgReader, 1.12 to 1.15; TurboVNC's rfbserver.c and
// cutpaste.c, 3.x), and shares no code with package rfb: it judges what Sage lets through. Where a server ends the
// connection for a payload that it cannot inflate, the model goes on, so that it finds more.
type serverModel struct {
	turbo bool
	// short says whether TigerVNC finds fewer than eight bytes of a SetDesktopSize: then it forgets the message.
	short func() bool

	in     []byte // What has come and was not read.
	closed string // Why the server has ended the connection; empty while it has not.

	bits       int // Of a pixel.
	tightBytes int // Of a pixel in Tight.
	encodings  []int32
	mouse      bool // ExtendedMouseButtons was announced.
	clipboard  bool // The extended clipboard was announced; TurboVNC never forgets that.
	fence, cu  bool
	read       int  // Messages, without SetPixelFormat.
	strayed    bool // It begins messages where none begins.
}

// act is what a server does because of a message.
type act string

const (
	actLook      act = "look" // Nothing that a policy is about.
	actKey       act = "key"
	actPointer   act = "pointer"
	actText      act = "clipboard text"
	actAnnounce  act = "clipboard announced"
	actAsk       act = "clipboard asked for"
	actCaps      act = "clipboard capabilities"
	actSize      act = "size"
	actDevice    act = "input device"
	actMouse     act = "extended mouse buttons" // From here on pointer events may be longer.
	actReformat  act = "pixels of another length, late"
	actStray     act = "the rest of another message"
	actUnstarted act = ""
)

const (
	tigerMaxText = 256 << 10
	turboMaxText = 1 << 20
)

func newServerModel(turbo bool, r *rand.Rand) *serverModel {
	return &serverModel{turbo: turbo, bits: 32, tightBytes: 3, short: func() bool { return r.IntN(2) == 0 }}
}

func (s *serverModel) String() string {
	if s.turbo {
		return "TurboVNC"
	}
	return "TigerVNC"
}

// take takes n bytes where there are so many.
func (s *serverModel) take(n int) act {
	if n > len(s.in) {
		return actUnstarted
	}
	s.in = s.in[n:]
	return actLook
}

func (s *serverModel) end(format string, args ...any) act {
	s.closed = fmt.Sprintf(format, args...)
	s.in = nil
	return actUnstarted
}

// taken is what for n bytes that are there.
func (s *serverModel) taken(n int, what act) act {
	if s.take(n) == actUnstarted {
		return actUnstarted
	}
	return what
}

// next reads the next message; actUnstarted when it has not come whole, or the connection has ended.
func (s *serverModel) next() act {
	if len(s.in) == 0 || s.closed != "" {
		return actUnstarted
	}
	strayed := s.strayed
	var what act
	if s.in[0] == 0 {
		what = s.pixelFormat()
	} else if what = s.message(); what != actUnstarted {
		s.read++
	}
	if strayed && what != actUnstarted {
		return actStray
	}
	return what
}

func (s *serverModel) message() act {
	b := s.in
	have := func(n int) bool { return len(b) >= n }
	switch b[0] {
	case 2:
		if !have(4) {
			return actUnstarted
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if !have(4 + 4*n) {
			return actUnstarted
		}
		if !s.turbo {
			s.fence, s.cu, s.mouse = false, false, false
		}
		s.encodings = s.encodings[:0]
		for i := range n {
			e := int32(binary.BigEndian.Uint32(b[4+4*i:]))
			s.encodings = append(s.encodings, e)
			s.fence = s.fence || e == -312
			s.cu = s.cu || e == -313
			s.mouse = s.mouse || e == -316
			s.clipboard = s.clipboard || e == -0x3f5e1a32
		}
		if s.mouse {
			return s.taken(4+4*n, actMouse)
		}
		return s.take(4 + 4*n)
	case 3:
		return s.take(10)
	case 4:
		return s.taken(8, actKey)
	case 5:
		if s.mouse && have(2) && b[1]&0x80 != 0 {
			return s.taken(7, actPointer)
		}
		return s.taken(6, actPointer)
	case 6:
		return s.cutText()
	case 150:
		if !s.turbo && !(s.fence && s.cu) && have(10) {
			return s.end("continuous updates were not announced")
		}
		return s.take(10)
	case 248:
		if !have(9) {
			return actUnstarted
		}
		return s.take(9 + int(b[8]))
	case 251:
		if !s.turbo && s.short() {
			s.strayed = true
			return s.take(1)
		}
		if !have(8) {
			return actUnstarted
		}
		return s.taken(8+16*int(b[6]), actSize)
	case 253:
		return s.device()
	case 255:
		switch {
		case !have(2):
			return actUnstarted
		case b[1] != 0 && (!s.turbo || have(12)):
			return s.end("QEMU message %d", b[1])
		}
		return s.taken(12, actKey)
	default:
		return s.end("message %d", b[0])
	}
}

// pixelFormat takes a format, or one of the server's own in its place.
func (s *serverModel) pixelFormat() act {
	if len(s.in) < 20 {
		return actUnstarted
	}
	b := s.in[4:]
	bits, depth, colours := int(b[0]), int(b[1]), b[3] != 0
	u16 := func(i int) int { return int(binary.BigEndian.Uint16(b[i:])) }
	top := []int{u16(4), u16(6), u16(8)}
	shift := []int{int(b[10]), int(b[11]), int(b[12])}
	if bits != 8 && bits != 16 && bits != 32 {
		return s.end("%d bits", bits)
	}
	if s.turbo {
		if !colours && bits != 8 {
			return s.end("a colour map of %d bits", bits)
		}
	} else {
		if !colours {
			top, shift = []int{7, 7, 3}, []int{0, 3, 6}
		}
		sum := 0
		for i, t := range top {
			n := 1 // Also for none.
			for t>>n != 0 {
				n++
			}
			if t&(t+1) != 0 || t > 255 || shift[i]+n > bits {
				return s.end("a strange format")
			}
			sum += n
		}
		if depth > bits || !colours && depth != 8 || sum > depth {
			return s.end("a strange depth")
		}
	}
	tight := bits / 8
	if depth == 24 && slices.Equal(top, []int{255, 255, 255}) && (bits == 32 || s.turbo) {
		tight = 3
	}
	what := actLook
	if s.read > 0 && (bits != s.bits || tight != s.tightBytes) {
		what = actReformat
	}
	s.bits, s.tightBytes = bits, tight
	return s.taken(20, what)
}

// cutText reads a text, or a message of the extended clipboard.
func (s *serverModel) cutText() act {
	if len(s.in) < 8 {
		return actUnstarted
	}
	length := int(binary.BigEndian.Uint32(s.in[4:]))
	if length >= 1<<31 && s.turbo && !s.clipboard {
		s.strayed = true // Gigabytes of messages are skipped as one text.
		return s.take(8)
	}
	if length < 1<<31 {
		// TurboVNC keeps the beginning of a long text, TigerVNC nothing.
		if length == 0 && s.turbo || length > tigerMaxText && !s.turbo {
			return s.take(8 + length)
		}
		return s.taken(8+length, actText)
	}
	length = -int(int32(length))
	most := tigerMaxText
	if s.turbo {
		most = turboMaxText + 4
	}
	switch {
	case length < 4:
		return s.end("an extended clipboard of %d bytes", length)
	case !s.turbo && len(s.in) < 8+length || len(s.in) < 12:
		return actUnstarted
	case length > most:
		return s.take(8 + length)
	}
	flags := binary.BigEndian.Uint32(s.in[8:])
	action := flags & 0xff000000
	sizes := 0
	for i := range 16 {
		sizes += 4 * int(flags>>i&1)
	}
	switch {
	case action&(1<<24) != 0 && length < 4+sizes:
		return s.end("capabilities of %d bytes", length)
	case action&(1<<24) != 0:
		return s.taken(12+sizes, actCaps)
	case action == 1<<28 && length == 4 && s.turbo:
		return s.end("an empty clipboard")
	case action == 1<<28:
		return s.taken(8+length, actText)
	// Of these, nothing behind the flags is read, whatever the length says.
	case action == 1<<25, action == 1<<26:
		return s.taken(12, actAsk)
	case action == 1<<27:
		return s.taken(12, actAnnounce)
	case s.turbo:
		return s.take(12)
	default:
		return s.end("clipboard action %x", action)
	}
}

// device reads TurboVNC's messages of input devices, as far as it takes to be out of step with their lengths.
func (s *serverModel) device() act {
	if !s.turbo {
		return s.end("message 253")
	}
	if len(s.in) < 2 {
		return actUnstarted
	}
	switch s.in[1] &^ 0x80 {
	case 0:
		return s.taken(4, actDevice)
	case 1:
		return s.taken(6, actDevice)
	case 2:
		return s.taken(56, actDevice)
	case 3:
		return s.taken(8, actDevice)
	default:
		return s.taken(2, actDevice) // Unknown: the next message begins at once.
	}
}

// forbids reports whether a policy is broken when a server does what. It says the same as the policy, in other words than
// the code does.
func forbids(p viewer.Policy, what act) bool {
	in := !p.ViewOnly && (p.Clipboard == viewer.ClipboardBoth || p.Clipboard == viewer.ClipboardIn)
	out := p.Clipboard == viewer.ClipboardBoth || p.Clipboard == viewer.ClipboardOut
	switch what {
	case actLook:
		return false
	case actKey, actPointer, actSize:
		return p.ViewOnly
	case actText, actAnnounce:
		return !in
	case actAsk:
		return !out
	case actCaps:
		return !in && !out
	case actReformat:
		return !out // Who filters the server's messages is out of step.
	default:
		return true // Devices, and longer pointer events.
	}
}
