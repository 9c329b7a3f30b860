package rfb

import "fmt"

// Encoding is a number of the encoding registry (RFC 6143 section 8.4.2): how the pixels of a rectangle are written
// down, or, for a pseudo-encoding, what a client understands beside pixels.
type Encoding int32

// Encodings of pixels: RFC 6143 section 7.7; the others are described by the community's version of the specification
// (rfbproto).
const (
	EncodingRaw      Encoding = 0
	EncodingCopyRect Encoding = 1
	EncodingRRE      Encoding = 2
	EncodingCoRRE    Encoding = 4
	EncodingHextile  Encoding = 5
	EncodingZlib     Encoding = 6
	EncodingTight    Encoding = 7
	EncodingZRLE     Encoding = 16
	EncodingZYWRLE   Encoding = 17
	EncodingH264     Encoding = 50
	EncodingTightPNG Encoding = -260
)

// Pseudo-encodings: RFC 6143 section 7.8 and rfbproto.
const (
	EncodingJPEGQuality0        Encoding = -32 // Up to level 9, -23.
	EncodingJPEGQuality9        Encoding = -23
	EncodingDesktopSize         Encoding = -223
	EncodingLastRect            Encoding = -224
	EncodingPointerPos          Encoding = -232
	EncodingCursor              Encoding = -239
	EncodingXCursor             Encoding = -240
	EncodingCompression9        Encoding = -247
	EncodingCompression0        Encoding = -256 // Up to level 9, -247.
	EncodingQEMUPointerMotion   Encoding = -257
	EncodingQEMUKeyEvent        Encoding = -258
	EncodingQEMUAudio           Encoding = -259
	EncodingQEMULEDState        Encoding = -261
	EncodingGII                 Encoding = -305
	EncodingDesktopName         Encoding = -307
	EncodingExtendedDesktopSize Encoding = -308
	EncodingXVP                 Encoding = -309
	EncodingFence               Encoding = -312
	EncodingContinuousUpdates   Encoding = -313
	EncodingCursorWithAlpha     Encoding = -314
	EncodingExtendedMouse       Encoding = -316
	EncodingFineQuality0        Encoding = -512 // Up to level 100, -412 (TurboVNC).
	EncodingFineQuality100      Encoding = -412
	EncodingSubsampling1        Encoding = -768 // Up to -763 (TurboVNC).
	EncodingSubsamplingLast     Encoding = -763
	EncodingVMwareCursor        Encoding = 0x574d5664
	EncodingVMwareCursorPos     Encoding = 0x574d5666
	EncodingVMwareLEDState      Encoding = 0x574d5668
	EncodingExtendedClipboard   Encoding = -0x3f5e1a32 // 0xc0a1e5ce.
)

// String gives the name of an encoding that this package reads, else its number.
func (e Encoding) String() string {
	switch e {
	case EncodingRaw:
		return "Raw"
	case EncodingCopyRect:
		return "CopyRect"
	case EncodingTight:
		return "Tight"
	case EncodingZRLE:
		return "ZRLE"
	case EncodingDesktopSize:
		return "DesktopSize"
	default:
		return fmt.Sprintf("encoding %d", int32(e))
	}
}
