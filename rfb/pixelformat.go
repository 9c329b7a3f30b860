package rfb

import (
	"encoding/binary"
	"fmt"
	"math/bits"
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

// Check returns a [*FormatError] unless p is a true-colour format that every server takes as it stands: pixels of 8, 16
// or 32 bits, colours of at most 8 bits that fit into the depth and do not overlap. Servers end the connection for other
// formats or put one of their own in their place (Xtigervnc does so for colour maps).
func (p PixelFormat) Check() error {
	if !p.isCommon() {
		return &FormatError{Format: p}
	}
	return nil
}

// isCommon reports whether Check returns no error.
func (p PixelFormat) isCommon() bool {
	if p.BitsPerPixel != 8 && p.BitsPerPixel != 16 && p.BitsPerPixel != 32 || p.Depth > p.BitsPerPixel || !p.TrueColour {
		return false
	}
	var used uint32
	depth := 0
	for _, c := range [...]struct {
		top   uint16
		shift uint8
	}{{p.RedMax, p.RedShift}, {p.GreenMax, p.GreenShift}, {p.BlueMax, p.BlueShift}} {
		size := bits.Len16(c.top)
		mask := uint32(c.top) << c.shift
		if c.top == 0 || c.top > 255 || c.top&(c.top+1) != 0 || int(c.shift)+size > int(p.BitsPerPixel) || used&mask != 0 {
			return false
		}
		used |= mask
		depth += size
	}
	return depth <= int(p.Depth)
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
