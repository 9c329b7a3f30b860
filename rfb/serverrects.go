package rfb

import "encoding/binary"

// rectangleWalk is where a [ServerScanner] is within a FramebufferUpdate.
type rectangleWalk struct {
	left          int // Rectangles behind this one.
	width, height int64
	encoding      Encoding
	pixel, tpixel int64 // Bytes of a pixel; bytes of a pixel as Tight writes it.

	extra   int64 // What stands beside each thing that is counted, in bytes.
	tile    int64 // Hextile: how many tiles have begun.
	mask    byte  // Hextile: what the tile consists of.
	control byte  // Tight: how the rectangle is compressed.
	length  int64 // Tight: a length as far as it is read.
	shift   uint
}

// Walkable reports whether a [ServerScanner] knows what e puts into a server's messages; only such encodings may be
// announced on a connection that it walks over.
func Walkable(e Encoding) bool {
	switch e {
	case EncodingRaw, EncodingCopyRect, EncodingRRE, EncodingCoRRE, EncodingHextile, EncodingZlib, EncodingTight,
		EncodingTightPNG, EncodingZRLE, EncodingZYWRLE, EncodingH264,
		EncodingDesktopSize, EncodingLastRect, EncodingPointerPos, EncodingCursor, EncodingXCursor, EncodingCursorWithAlpha,
		EncodingVMwareCursor, EncodingVMwareCursorPos, EncodingVMwareLEDState,
		EncodingQEMUPointerMotion, EncodingQEMUKeyEvent, EncodingQEMULEDState,
		EncodingDesktopName, EncodingExtendedDesktopSize, EncodingXVP, EncodingFence, EncodingContinuousUpdates,
		EncodingExtendedClipboard:
		return true
	}
	// Levels and qualities change how pixels are compressed, not how the compressed ones are framed.
	return e >= EncodingCompression0 && e <= EncodingCompression9 ||
		e >= EncodingJPEGQuality0 && e <= EncodingJPEGQuality9 ||
		e >= EncodingFineQuality0 && e <= EncodingFineQuality100 ||
		e >= EncodingSubsampling1 && e <= EncodingSubsamplingLast
}

func (s *ServerScanner) updateHead(b []byte) error {
	s.rect = rectangleWalk{left: int(binary.BigEndian.Uint16(b[1:]))}
	s.nextRectangle()
	return nil
}

// nextRectangle goes on behind what is skipped: with the next rectangle, or with the end of the update.
func (s *ServerScanner) nextRectangle() {
	if s.rect.left > 0 {
		s.rect.left--
		s.read(12, (*ServerScanner).rectangleHead)
	}
}

// body skips the n bytes that are left of the rectangle.
func (s *ServerScanner) body(n int64) {
	s.skip = n
	s.nextRectangle()
}

// rectangleHead reads place, size and encoding (RFC 6143 section 7.6.1) and finds out how long the content is.
func (s *ServerScanner) rectangleHead(b []byte) error {
	format := s.format.Load()
	r := &s.rect
	r.width, r.height = int64(binary.BigEndian.Uint16(b[4:])), int64(binary.BigEndian.Uint16(b[6:]))
	r.encoding = Encoding(int32(binary.BigEndian.Uint32(b[8:])))
	r.pixel, r.tpixel = int64(format&0xff), int64(format>>8)
	area, bitmap := r.width*r.height, (r.width+7)/8*r.height
	switch r.encoding {
	case EncodingRaw:
		s.body(area * r.pixel)
	case EncodingCopyRect:
		s.body(4)
	case EncodingRRE:
		r.extra = 8
		s.read(4, subrectangles)
	case EncodingCoRRE:
		r.extra = 4
		s.read(4, subrectangles)
	case EncodingHextile:
		r.tile = 0
		s.nextTile()
	case EncodingZlib, EncodingZRLE, EncodingZYWRLE, EncodingDesktopName:
		r.extra = 0
		s.read(4, counted)
	case EncodingH264:
		r.extra = 4 // Its flags are not counted.
		s.read(4, counted)
	case EncodingTight, EncodingTightPNG:
		s.read(1, (*ServerScanner).tightControl)
	case EncodingCursor:
		s.body(area*r.pixel + bitmap)
	case EncodingXCursor:
		if area > 0 {
			s.body(6 + 2*bitmap)
		} else {
			s.body(0)
		}
	case EncodingCursorWithAlpha:
		s.read(4, func(s *ServerScanner, b []byte) error {
			if e := Encoding(int32(binary.BigEndian.Uint32(b))); e != EncodingRaw {
				return unwalkable("a cursor in %v", e)
			}
			s.body(area4(s))
			return nil
		})
	case EncodingVMwareCursor:
		s.read(2, vmwareCursor)
	case EncodingExtendedDesktopSize:
		s.read(4, func(s *ServerScanner, b []byte) error {
			s.body(16 * int64(b[0]))
			return nil
		})
	case EncodingQEMULEDState:
		s.body(1)
	case EncodingVMwareLEDState:
		s.body(4)
	case EncodingDesktopSize, EncodingPointerPos, EncodingVMwareCursorPos, EncodingQEMUPointerMotion, EncodingQEMUKeyEvent:
		s.body(0)
	case EncodingLastRect:
		r.left = 0
	default:
		return unwalkable("a rectangle in %v", r.encoding)
	}
	return nil
}

// area4 is the length of the rectangle's pixels where each has four bytes.
func area4(s *ServerScanner) int64 { return 4 * s.rect.width * s.rect.height }

// counted reads a length in bytes, of what follows behind the extra ones.
func counted(s *ServerScanner, b []byte) error {
	s.body(s.rect.extra + int64(binary.BigEndian.Uint32(b)))
	return nil
}

// subrectangles reads how many there are, each with a pixel and the extra bytes for its place (RFC 6143 section 7.7.3).
func subrectangles(s *ServerScanner, b []byte) error {
	r := &s.rect
	s.body(r.pixel + int64(binary.BigEndian.Uint32(b))*(r.pixel+r.extra))
	return nil
}

// vmwareCursor reads of which kind the picture is: two masks in the pixel format, or colours with alpha.
func vmwareCursor(s *ServerScanner, b []byte) error {
	switch b[0] {
	case 0:
		s.body(2 * s.rect.width * s.rect.height * s.rect.pixel)
	case 1:
		s.body(area4(s))
	default:
		return unwalkable("a VMware cursor of type %d", b[0])
	}
	return nil
}

// What a tile of Hextile consists of (RFC 6143 section 7.7.4).
const (
	hextileRaw        = 1
	hextileBackground = 2
	hextileForeground = 4
	hextileAny        = 8
	hextileColoured   = 16
	hextileSide       = 16
)

// nextTile goes on with the next tile, or with the next rectangle behind the last one.
func (s *ServerScanner) nextTile() {
	r := &s.rect
	across, down := (r.width+hextileSide-1)/hextileSide, (r.height+hextileSide-1)/hextileSide
	if r.tile == across*down {
		s.nextRectangle()
		return
	}
	r.tile++
	s.read(1, hextileHead)
}

func hextileHead(s *ServerScanner, b []byte) error {
	r := &s.rect
	r.mask = b[0]
	if r.mask&hextileRaw != 0 {
		across := (r.width + hextileSide - 1) / hextileSide
		column, row := (r.tile-1)%across, (r.tile-1)/across
		w, h := min(hextileSide, r.width-column*hextileSide), min(hextileSide, r.height-row*hextileSide)
		s.skip = w * h * r.pixel
		s.nextTile()
		return nil
	}
	if r.mask&hextileBackground != 0 {
		s.skip += r.pixel
	}
	if r.mask&hextileForeground != 0 {
		s.skip += r.pixel
	}
	if r.mask&hextileAny == 0 {
		s.nextTile()
		return nil
	}
	s.read(1, func(s *ServerScanner, b []byte) error {
		each := int64(2)
		if s.rect.mask&hextileColoured != 0 {
			each += s.rect.pixel
		}
		s.skip = each * int64(b[0])
		s.nextTile()
		return nil
	})
	return nil
}

func (s *ServerScanner) tightControl(b []byte) error {
	r := &s.rect
	r.control = b[0] >> 4
	png := r.encoding == EncodingTightPNG
	switch {
	case r.control == tightFill:
		s.body(r.tpixel)
	case r.control == tightJPEG || png && r.control == tightPNG:
		s.tightLength()
	case r.control&0x8 != 0 && (png || r.control&^tightFilter != tightPNG):
		return unwalkable("a Tight rectangle of type %d", r.control)
	case r.control&tightFilter != 0:
		s.read(1, tightFilterName)
	default:
		s.tightData(r.width * r.height * r.tpixel)
	}
	return nil
}

func tightFilterName(s *ServerScanner, b []byte) error {
	r := &s.rect
	switch b[0] {
	case tightCopy, tightGradient:
		s.tightData(r.width * r.height * r.tpixel)
	case tightPalette:
		s.read(1, tightColours)
	default:
		return unwalkable("the Tight filter %d", b[0])
	}
	return nil
}

func tightColours(s *ServerScanner, b []byte) error {
	r := &s.rect
	colours := int64(b[0]) + 1
	switch {
	case colours == 1:
		return unwalkable("a Tight palette of one colour") // Clients do not agree on what follows.
	case colours == 2:
		s.tightDataBehind(colours*r.tpixel, (r.width+7)/8*r.height)
	default:
		s.tightDataBehind(colours*r.tpixel, r.width*r.height)
	}
	return nil
}

// tightData goes on with data that is n bytes long when it is not compressed.
func (s *ServerScanner) tightData(n int64) { s.tightDataBehind(0, n) }

func (s *ServerScanner) tightDataBehind(before, n int64) {
	if n < tightMinimum {
		s.body(before + n)
		return
	}
	s.skip = before
	s.tightLength()
}

// tightLength goes on with a length of one to three bytes, lowest bits first, and as many bytes.
func (s *ServerScanner) tightLength() {
	s.rect.length, s.rect.shift = 0, 0
	s.read(1, tightLengthByte)
}

func tightLengthByte(s *ServerScanner, b []byte) error {
	r := &s.rect
	if r.shift == 14 {
		s.body(r.length | int64(b[0])<<14)
		return nil
	}
	r.length |= int64(b[0]&0x7f) << r.shift
	r.shift += 7
	if b[0]&0x80 != 0 {
		s.read(1, tightLengthByte)
		return nil
	}
	s.body(r.length)
	return nil
}
