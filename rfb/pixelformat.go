package rfb

import (
	"encoding/binary"
	"fmt"
)

// PixelFormat says how one pixel is written down (RFC 6143 section 7.4).
type PixelFormat struct {
	BitsPerPixel, Depth             uint8
	BigEndian, TrueColour           bool
	RedMax, GreenMax, BlueMax       uint16
	RedShift, GreenShift, BlueShift uint8
}

// pixelFormatSize is the length of a pixel format on the wire, in bytes.
const pixelFormatSize = 16

// rgba is the bytes R, G, B, 0 in this order, which is image.RGBA but for its alpha.
func rgba() PixelFormat {
	return PixelFormat{
		BitsPerPixel: 32, Depth: 24, TrueColour: true,
		RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 0, GreenShift: 8, BlueShift: 16,
	}
}

// ParsePixelFormat reads a pixel format from the 16 bytes that b begins with; fewer are an error.
func ParsePixelFormat(b []byte) (PixelFormat, error) {
	if len(b) < pixelFormatSize {
		return PixelFormat{}, fmt.Errorf("rfb: pixel format of %d bytes", len(b))
	}
	return PixelFormat{
		BitsPerPixel: b[0], Depth: b[1], BigEndian: b[2] != 0, TrueColour: b[3] != 0,
		RedMax: binary.BigEndian.Uint16(b[4:]), GreenMax: binary.BigEndian.Uint16(b[6:]), BlueMax: binary.BigEndian.Uint16(b[8:]),
		RedShift: b[10], GreenShift: b[11], BlueShift: b[12],
	}, nil
}

// Append appends the 16 bytes that stand for p.
func (p PixelFormat) Append(b []byte) []byte {
	flag := func(set bool) byte {
		if set {
			return 1
		}
		return 0
	}
	b = append(b, p.BitsPerPixel, p.Depth, flag(p.BigEndian), flag(p.TrueColour))
	for _, v := range []uint16{p.RedMax, p.GreenMax, p.BlueMax} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(b, p.RedShift, p.GreenShift, p.BlueShift, 0, 0, 0)
}
