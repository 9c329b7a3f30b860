package rfb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxText bounds names and reasons, in bytes: their length is the server's word and up to 4 GiB.
const maxText = 4096

// handshake goes from the greeting to the first thing the client asks for.
func (c *Client) handshake(shared bool) error {
	announced, err := ReadGreeting(c.br)
	if err != nil {
		return fmt.Errorf("rfb: %w", err)
	}
	c.version = announced.negotiated()
	if err := c.write([]byte(c.version.greeting())); err != nil {
		return err
	}
	if c.version.Minor == 3 {
		err = c.securityAssigned()
	} else {
		err = c.securityOffered()
	}
	if err != nil {
		return err
	}
	return c.initialise(shared)
}

// securityAssigned is the handshake of version 3.3, where the server decides (RFC 6143 appendix A.1).
func (c *Client) securityAssigned() error {
	var b [4]byte
	if err := c.readFull(b[:], "security type"); err != nil {
		return err
	}
	switch n := binary.BigEndian.Uint32(b[:]); {
	case n == uint32(SecurityInvalid):
		return c.refused()
	case n == uint32(SecurityNone):
		return nil
	case n <= 255:
		return &SecurityError{Offered: []SecurityType{SecurityType(n)}}
	default:
		return fmt.Errorf("rfb: server assigned the impossible security type %d", n)
	}
}

// securityOffered is the handshake since version 3.7, where the client chooses (RFC 6143 section 7.1.2).
func (c *Client) securityOffered() error {
	var b [255]byte
	if err := c.readFull(b[:1], "number of security types"); err != nil {
		return err
	}
	n := int(b[0])
	if n == 0 {
		return c.refused()
	}
	if err := c.readFull(b[:n], "security types"); err != nil {
		return err
	}
	offered := make([]SecurityType, n)
	none := false
	for i := range offered {
		offered[i] = SecurityType(b[i])
		none = none || offered[i] == SecurityNone
	}
	if !none {
		return &SecurityError{Offered: offered}
	}
	if err := c.write([]byte{byte(SecurityNone)}); err != nil {
		return err
	}
	if c.version.Minor < 8 {
		return nil // Before 3.8 no result follows None (appendix A.2).
	}
	// SecurityResult, RFC 6143 section 7.1.3.
	if err := c.readFull(b[:4], "security result"); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(b[:4]) != 0 {
		return c.refused()
	}
	return nil
}

// refused reads the reason that follows a refusal. A refusal without a readable reason is still a refusal.
func (c *Client) refused() error {
	reason, err := c.text("reason")
	if err != nil {
		return &RefusedError{}
	}
	return &RefusedError{Reason: reason}
}

// initialise sends ClientInit, reads ServerInit (RFC 6143 section 7.3) and says which pixels and encodings are wanted.
func (c *Client) initialise(shared bool) error {
	flag := byte(0)
	if shared {
		flag = 1
	}
	if err := c.write([]byte{flag}); err != nil {
		return err
	}
	// Width, height, 16 bytes of the server's own pixel format, which does not matter here.
	var b [20]byte
	if err := c.readFull(b[:], "server init"); err != nil {
		return err
	}
	if err := c.setSize(int(binary.BigEndian.Uint16(b[0:])), int(binary.BigEndian.Uint16(b[2:]))); err != nil {
		return err
	}
	name, err := c.text("desktop name")
	if err != nil {
		return err
	}
	c.name = name
	return c.write(append(setPixelFormat(), setEncodings(encRaw, encCopyRect, encDesktopSize)...))
}

// text reads a length and that many bytes, at most maxText.
func (c *Client) text(what string) (string, error) {
	var b [4]byte
	if err := c.readFull(b[:], what+" length"); err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint32(b[:])
	if n > maxText {
		return "", fmt.Errorf("rfb: %s of %d bytes is longer than %d", what, n, maxText)
	}
	s := make([]byte, n)
	if err := c.readFull(s, what); err != nil {
		return "", err
	}
	return string(s), nil
}

// readFull fills b; what names it in the error.
func (c *Client) readFull(b []byte, what string) error {
	if _, err := io.ReadFull(c.br, b); err != nil {
		return fmt.Errorf("rfb: read %s: %w", what, err)
	}
	return nil
}
