package ws

import "encoding/binary"

// Opcode says what a frame is (RFC 6455 section 5.2).
type Opcode byte

// The opcodes.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// control tells whether frames of that kind stand between those of a message (RFC 6455 section 5.5).
func (o Opcode) control() bool { return o >= 8 }

const (
	// MaxControl is the largest payload of a control frame, in bytes (RFC 6455 section 5.5).
	MaxControl = 125
	// MaxHead is the length of the longest head of a frame that is not masked, in bytes.
	MaxHead = 10

	finalBit  = 0x80
	rsvBits   = 0x70
	opcodeSet = 0x0f
	maskBit   = 0x80
	length16  = 126
	length64  = 127
)

// AppendHead appends the head of a final frame with n bytes of payload that are not masked, as a server sends it.
func AppendHead(b []byte, o Opcode, n int) []byte {
	b = append(b, finalBit|byte(o))
	return appendLength(b, 0, n)
}

// AppendMaskedHead is AppendHead for a frame that is masked with key, as a client sends it.
func AppendMaskedHead(b []byte, o Opcode, n int, key [4]byte) []byte {
	b = append(b, finalBit|byte(o))
	return append(appendLength(b, maskBit, n), key[:]...)
}

func appendLength(b []byte, mask byte, n int) []byte {
	switch {
	case n < length16:
		return append(b, mask|byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, mask|length16), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, mask|length64), uint64(n))
	}
}

// PutHead writes the head of a final binary frame right before the payload b[room:end] and gives the whole frame, which
// is a part of b. room is [MaxHead] at least.
func PutHead(b []byte, room, end int) []byte {
	var head [MaxHead]byte
	h := AppendHead(head[:0], Binary, end-room)
	start := room - len(h)
	copy(b[start:], h)
	return b[start:end]
}

// Mask masks b in place, or takes the mask away (RFC 6455 section 5.3). pos is b's place in the payload; the place
// behind b is returned.
func Mask(b []byte, key [4]byte, pos int) int {
	end := pos + len(b)
	for ; len(b) > 0 && pos&3 != 0; b, pos = b[1:], pos+1 {
		b[0] ^= key[pos&3]
	}
	half := uint64(binary.LittleEndian.Uint32(key[:]))
	for word := half<<32 | half; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
	return end
}
