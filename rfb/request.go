package rfb

import "encoding/binary"

// setPixelFormat says how pixels shall be written down (RFC 6143 section 7.5.1).
func setPixelFormat(p PixelFormat) []byte { return p.Append([]byte{byte(MsgSetPixelFormat), 0, 0, 0}) }

// setEncodings says which encodings the client reads, best first (RFC 6143 section 7.5.2).
func setEncodings(encodings ...Encoding) []byte {
	b := []byte{byte(MsgSetEncodings), 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(encodings)))
	for _, e := range encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	return b
}

// updateRequest asks for the whole framebuffer (RFC 6143 section 7.5.3).
func updateRequest(incremental bool, width, height int) []byte {
	b := []byte{byte(MsgFramebufferUpdateRequest), 0, 0, 0, 0, 0}
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
	return binary.BigEndian.AppendUint32(append(b, byte(MsgKeyEvent), flag, 0, 0), keysym)
}

// pointerEvent moves the pointer (RFC 6143 section 7.5.5).
func pointerEvent(x, y uint16, buttons uint8) []byte {
	b := binary.BigEndian.AppendUint16([]byte{byte(MsgPointerEvent), buttons}, x)
	return binary.BigEndian.AppendUint16(b, y)
}
