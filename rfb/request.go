package rfb

import "encoding/binary"

// Client-to-server message types (RFC 6143 section 7.5).
const (
	msgSetPixelFormat           = 0
	msgSetEncodings             = 2
	msgFramebufferUpdateRequest = 3
	msgKeyEvent                 = 4
	msgPointerEvent             = 5
)

// Encodings (RFC 6143 sections 7.7 and 7.8).
const (
	encRaw         int32 = 0
	encCopyRect    int32 = 1
	encDesktopSize int32 = -223
)

// setPixelFormat asks for the bytes R, G, B, 0 in this order, which is image.RGBA but for its alpha
// (RFC 6143 sections 7.4 and 7.5.1).
func setPixelFormat() []byte {
	return []byte{
		msgSetPixelFormat, 0, 0, 0,
		32, 24, // Bits per pixel, depth.
		0, 1, // Little endian, true colour.
		0, 255, 0, 255, 0, 255, // Maxima of red, green and blue.
		0, 8, 16, // Shifts of red, green and blue.
		0, 0, 0,
	}
}

// setEncodings says which encodings the client reads, best first (RFC 6143 section 7.5.2).
func setEncodings(encodings ...int32) []byte {
	b := []byte{msgSetEncodings, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(encodings)))
	for _, e := range encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	return b
}

// updateRequest asks for the whole framebuffer (RFC 6143 section 7.5.3).
func updateRequest(incremental bool, width, height int) []byte {
	b := []byte{msgFramebufferUpdateRequest, 0, 0, 0, 0, 0}
	if incremental {
		b[1] = 1
	}
	b = binary.BigEndian.AppendUint16(b, uint16(width))
	return binary.BigEndian.AppendUint16(b, uint16(height))
}

// keyEvent presses or releases a key (RFC 6143 section 7.5.4).
func keyEvent(b []byte, keysym uint32, down bool) []byte {
	flag := byte(0)
	if down {
		flag = 1
	}
	return binary.BigEndian.AppendUint32(append(b, msgKeyEvent, flag, 0, 0), keysym)
}

// pointerEvent moves the pointer (RFC 6143 section 7.5.5).
func pointerEvent(x, y uint16, buttons uint8) []byte {
	b := binary.BigEndian.AppendUint16([]byte{msgPointerEvent, buttons}, x)
	return binary.BigEndian.AppendUint16(b, y)
}
