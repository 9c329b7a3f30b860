package rfb

import "fmt"

// Key symbols that have no character (RFC 6143 section 7.5.4).
const (
	KeyBackspace uint32 = 0xff08
	KeyTab       uint32 = 0xff09
	KeyReturn    uint32 = 0xff0d
	KeyEscape    uint32 = 0xff1b
	KeyDelete    uint32 = 0xffff
	KeyF1        uint32 = 0xffbe // F2 to F12 follow.
	KeyShift     uint32 = 0xffe1
	KeyControl   uint32 = 0xffe3
	KeyAlt       uint32 = 0xffe9
)

// Buttons of [Client.Pointer], to be added up (RFC 6143 section 7.5.5).
const (
	ButtonLeft   uint8 = 1 << 0
	ButtonMiddle uint8 = 1 << 1
	ButtonRight  uint8 = 1 << 2
	WheelUp      uint8 = 1 << 3
	WheelDown    uint8 = 1 << 4
)

// KeySym gives the X11 key symbol of a character: itself within Latin-1, else its code point in the Unicode range;
// newline, tab and backspace give their keys.
func KeySym(r rune) uint32 {
	switch {
	case r == '\n' || r == '\r':
		return KeyReturn
	case r == '\t':
		return KeyTab
	case r == '\b':
		return KeyBackspace
	case r >= 0x20 && r <= 0x7e || r >= 0xa0 && r <= 0xff:
		return uint32(r)
	default:
		return 0x01000000 | uint32(r)
	}
}

// Key presses (down) or releases a key, for chords such as Control and L.
func (c *Client) Key(keysym uint32, down bool) error {
	return c.write(keyEvent(nil, keysym, down))
}

// KeyPress presses a key and releases it.
func (c *Client) KeyPress(keysym uint32) error {
	return c.write(keyEvent(keyEvent(nil, keysym, true), keysym, false))
}

// Type presses and releases the keys of text, one after the other. Servers press Shift themselves where a character
// needs it.
func (c *Client) Type(text string) error {
	for _, r := range text {
		if err := c.KeyPress(KeySym(r)); err != nil {
			return err
		}
	}
	return nil
}

// Pointer moves the pointer to (x, y), in pixels from the top left corner, with the given buttons down. A click is
// two calls. Coordinates outside of [0, 65535] are an error; outside of the framebuffer they are the server's matter.
func (c *Client) Pointer(x, y int, buttons uint8) error {
	if x < 0 || y < 0 || x > 65535 || y > 65535 {
		return fmt.Errorf("rfb: pointer position (%d, %d) is out of bounds", x, y)
	}
	return c.write(pointerEvent(uint16(x), uint16(y), buttons))
}
