package rfb

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// ClientMessageType is the first byte of a message from a client.
type ClientMessageType uint8

// What clients send: RFC 6143 section 7.5, and the extensions that rfbproto registers.
const (
	MsgSetPixelFormat           ClientMessageType = 0
	MsgSetEncodings             ClientMessageType = 2
	MsgFramebufferUpdateRequest ClientMessageType = 3
	MsgKeyEvent                 ClientMessageType = 4
	MsgPointerEvent             ClientMessageType = 5
	MsgClientCutText            ClientMessageType = 6
	MsgEnableContinuousUpdates  ClientMessageType = 150
	MsgClientFence              ClientMessageType = 248
	MsgXVP                      ClientMessageType = 250 // Shutdown, reboot and reset of a virtual machine.
	MsgSetDesktopSize           ClientMessageType = 251
	MsgGII                      ClientMessageType = 253 // General Input Interface: tablets and the like.
	MsgQEMU                     ClientMessageType = 255 // Its second byte says which: 0 a key, 1 audio.
)

// String gives the name of a known type, else its number.
func (t ClientMessageType) String() string {
	switch t {
	case MsgSetPixelFormat:
		return "SetPixelFormat"
	case MsgSetEncodings:
		return "SetEncodings"
	case MsgFramebufferUpdateRequest:
		return "FramebufferUpdateRequest"
	case MsgKeyEvent:
		return "KeyEvent"
	case MsgPointerEvent:
		return "PointerEvent"
	case MsgClientCutText:
		return "ClientCutText"
	case MsgEnableContinuousUpdates:
		return "EnableContinuousUpdates"
	case MsgClientFence:
		return "ClientFence"
	case MsgXVP:
		return "xvp"
	case MsgSetDesktopSize:
		return "SetDesktopSize"
	case MsgGII:
		return "gii"
	case MsgQEMU:
		return "QEMU"
	default:
		return fmt.Sprintf("type %d", uint8(t))
	}
}

const (
	// MaxEncodings bounds the list of a SetEncodings message. Viewers in the field name about 30.
	MaxEncodings = 1024
	// maxFence is the largest payload of a fence, in bytes (rfbproto, ClientFence).
	maxFence = 64
	// maxHeld is the longest message that is not given in pieces, in bytes: a SetEncodings.
	maxHeld = 4 + 4*MaxEncodings
)

// ClientMessage is a whole message of a client, or a piece of one.
type ClientMessage struct {
	Type ClientMessageType
	// Bytes is the message or the piece; nil when there is none. The first piece of a ClientCutText has at least the
	// eight bytes up to its length, and twelve, including the flags, where the clipboard is extended.
	Bytes []byte
	// First and Last are both set for a whole message.
	First, Last bool
	// Held says that Bytes are the scanner's own, until the next call, and not a part of what Next was given.
	Held bool
}

// Encodings goes over the list of a whole SetEncodings message (RFC 6143 section 7.5.2).
func (m ClientMessage) Encodings() iter.Seq[Encoding] {
	return func(yield func(Encoding) bool) {
		for b := m.Bytes[4:]; len(b) >= 4; b = b[4:] {
			if !yield(Encoding(int32(binary.BigEndian.Uint32(b)))) {
				return
			}
		}
	}
}

// measureClient tells how long the message is that b, at least one byte, begins with. Where b is too short to tell,
// known is false and n is how many bytes tell more. mouse says that pointer events may have the long form.
func measureClient(b []byte, mouse bool) (n int64, known bool, err error) {
	t := ClientMessageType(b[0])
	// How many bytes say how long a message of this type is.
	head := 1
	switch t {
	case MsgPointerEvent, MsgQEMU:
		head = 2
	case MsgSetEncodings, MsgGII:
		head = 4
	case MsgSetDesktopSize:
		head = 7
	case MsgClientCutText:
		head = 8
	case MsgClientFence:
		head = 9
	}
	if len(b) < head {
		return int64(head), false, nil
	}
	switch t {
	case MsgSetPixelFormat:
		n = 20
	case MsgSetEncodings:
		count := binary.BigEndian.Uint16(b[2:])
		if count > MaxEncodings {
			return 0, false, &UnknownMessageError{Type: t, Reason: fmt.Sprintf("it names %d encodings, more than %d", count, MaxEncodings)}
		}
		n = 4 + 4*int64(count)
	case MsgFramebufferUpdateRequest, MsgEnableContinuousUpdates:
		n = 10
	case MsgKeyEvent:
		n = 8
	case MsgPointerEvent:
		n = 6
		if mouse && b[1]&0x80 != 0 {
			n = 7
		}
	case MsgClientCutText:
		// A negative length marks the extended clipboard, whose first four bytes are flags.
		length := int64(int32(binary.BigEndian.Uint32(b[4:])))
		switch {
		case length >= 0:
			n = 8 + length
		case length <= -4:
			n = 8 - length
		default:
			return 0, false, &UnknownMessageError{Type: t, Reason: fmt.Sprintf("its length is %d", length)}
		}
	case MsgClientFence:
		if b[8] > maxFence {
			return 0, false, &UnknownMessageError{Type: t, Reason: fmt.Sprintf("its payload has %d bytes, more than %d", b[8], maxFence)}
		}
		n = 9 + int64(b[8])
	case MsgXVP:
		n = 4
	case MsgSetDesktopSize:
		n = 8 + 16*int64(b[6])
	case MsgGII:
		// The top bit of the second byte says that the rest is big-endian.
		if b[1]&0x80 != 0 {
			n = 4 + int64(binary.BigEndian.Uint16(b[2:]))
		} else {
			n = 4 + int64(binary.LittleEndian.Uint16(b[2:]))
		}
	case MsgQEMU:
		return measureQEMU(b)
	default:
		return 0, false, &UnknownMessageError{Type: t}
	}
	return n, true, nil
}

// measureQEMU is measureClient for the messages of QEMU, of which b has at least two bytes.
func measureQEMU(b []byte) (n int64, known bool, err error) {
	switch {
	case b[1] == 0:
		return 12, true, nil
	case b[1] != 1:
		return 0, false, &UnknownMessageError{Type: MsgQEMU, Reason: fmt.Sprintf("its kind is %d", b[1])}
	case len(b) < 4:
		return 4, false, nil
	}
	switch op := binary.BigEndian.Uint16(b[2:]); op {
	case 0, 1: // Enable and disable.
		return 4, true, nil
	case 2: // The format of samples.
		return 10, true, nil
	default:
		return 0, false, &UnknownMessageError{Type: MsgQEMU, Reason: fmt.Sprintf("its audio operation is %d", op)}
	}
}

// UnknownMessageError says that a client sent something whose end cannot be told, so nothing behind it can be read.
type UnknownMessageError struct {
	Type   ClientMessageType
	Reason string // What is wrong with a message of a known type; empty when the type is unknown.
}

// Error names the message.
func (e *UnknownMessageError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("rfb: unknown client message, %v", e.Type)
	}
	return fmt.Sprintf("rfb: malformed client message %v: %s", e.Type, e.Reason)
}
