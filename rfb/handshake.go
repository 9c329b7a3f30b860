package rfb

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// maxText bounds names and reasons, in bytes: their length is the peer's word and up to 4 GiB.
const maxText = 4096

// Authenticate does the client's part of the handshake with a server, from the greeting to the end of the security
// handshake (RFC 6143 sections 7.1 and 7.2), in version 3.3, 3.7 or 3.8, whichever is the newest that the server knows.
// It takes security None where it is offered and else, with a password, VncAuth. It reads no byte too many. The caller
// bounds the time, with a deadline on the connection.
//
// Errors: [ErrNotRFB], [*SecurityError], [*PasswordError], [*RefusedError], or what the connection says.
func Authenticate(server io.ReadWriter, password string) (Version, error) {
	announced, err := ReadGreeting(server)
	if err != nil {
		return Version{}, fmt.Errorf("rfb: %w", err)
	}
	v := announced.negotiated()
	if err := send(server, []byte(v.greeting())); err != nil {
		return v, err
	}
	var chosen SecurityType
	if v.Minor == 3 {
		chosen, err = securityAssigned(server, password)
	} else {
		chosen, err = securityOffered(server, password)
	}
	if err != nil {
		return v, err
	}
	if chosen == SecurityVNCAuth {
		err = answerChallenge(server, password)
	}
	// Before 3.8 no result follows None (appendix A.2).
	if err == nil && (chosen != SecurityNone || v.Minor >= 8) {
		err = securityResult(server, v, chosen)
	}
	return v, err
}

// securityAssigned is the handshake of version 3.3, where the server decides (RFC 6143 appendix A.1).
func securityAssigned(server io.ReadWriter, password string) (SecurityType, error) {
	var b [4]byte
	if err := readFull(server, b[:], "security type"); err != nil {
		return 0, err
	}
	switch n := binary.BigEndian.Uint32(b[:]); {
	case n == uint32(SecurityInvalid):
		return 0, refused(server)
	case n <= 255:
		return choose([]SecurityType{SecurityType(n)}, password)
	default:
		return 0, fmt.Errorf("rfb: server assigned the impossible security type %d", n)
	}
}

// securityOffered is the handshake since version 3.7, where the client chooses (RFC 6143 section 7.1.2).
func securityOffered(server io.ReadWriter, password string) (SecurityType, error) {
	var b [255]byte
	if err := readFull(server, b[:1], "number of security types"); err != nil {
		return 0, err
	}
	n := int(b[0])
	if n == 0 {
		return 0, refused(server)
	}
	if err := readFull(server, b[:n], "security types"); err != nil {
		return 0, err
	}
	offered := make([]SecurityType, n)
	for i := range offered {
		offered[i] = SecurityType(b[i])
	}
	chosen, err := choose(offered, password)
	if err != nil {
		return 0, err
	}
	return chosen, send(server, []byte{byte(chosen)})
}

// choose takes the security type that asks for least.
func choose(offered []SecurityType, password string) (SecurityType, error) {
	switch {
	case slices.Contains(offered, SecurityNone):
		return SecurityNone, nil
	case password != "" && slices.Contains(offered, SecurityVNCAuth):
		return SecurityVNCAuth, nil
	default:
		return 0, &SecurityError{Offered: offered}
	}
}

// securityResult reads how the security handshake went (RFC 6143 section 7.1.3). Only 3.8 gives a reason.
func securityResult(server io.Reader, v Version, chosen SecurityType) error {
	var b [4]byte
	if err := readFull(server, b[:], "security result"); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(b[:]) == 0 {
		return nil
	}
	refusal := &RefusedError{}
	if v.Minor >= 8 {
		refusal = refused(server)
	}
	if chosen == SecurityVNCAuth {
		return &PasswordError{Reason: refusal.Reason}
	}
	return refusal
}

// refused reads the reason that follows a refusal. A refusal without a readable reason is still a refusal.
func refused(server io.Reader) *RefusedError {
	reason, err := readText(server, "reason")
	if err != nil {
		return &RefusedError{}
	}
	return &RefusedError{Reason: reason}
}

// Initialise sends ClientInit and reads ServerInit (RFC 6143 section 7.3), after [Authenticate]. Shared leaves other
// viewers connected. It reads no byte too many.
func Initialise(server io.ReadWriter, shared bool) (ServerInit, error) {
	flag := byte(0)
	if shared {
		flag = 1
	}
	if err := send(server, []byte{flag}); err != nil {
		return ServerInit{}, err
	}
	var b [4 + pixelFormatSize]byte
	if err := readFull(server, b[:], "server init"); err != nil {
		return ServerInit{}, err
	}
	format, err := ParsePixelFormat(b[4:])
	if err != nil {
		return ServerInit{}, err
	}
	name, err := readText(server, "desktop name")
	if err != nil {
		return ServerInit{}, err
	}
	return ServerInit{
		Width: int(binary.BigEndian.Uint16(b[0:])), Height: int(binary.BigEndian.Uint16(b[2:])), Format: format, Name: name,
	}, nil
}

// ServerInit is what a server says of itself before the first message (RFC 6143 section 7.3.2). Nothing is checked but
// the name's length, at most 4096 bytes.
type ServerInit struct {
	Width, Height int         // Of the framebuffer, in pixels, within [0, 65535].
	Format        PixelFormat // The server's own.
	Name          string      // Of the desktop.
}

// Append appends the message.
func (s ServerInit) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(s.Width))
	b = binary.BigEndian.AppendUint16(b, uint16(s.Height))
	b = s.Format.Append(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.Name)))
	return append(b, s.Name...)
}

// readText reads a length and that many bytes, at most maxText.
func readText(r io.Reader, what string) (string, error) {
	var b [4]byte
	if err := readFull(r, b[:], what+" length"); err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint32(b[:])
	if n > maxText {
		return "", fmt.Errorf("rfb: %s of %d bytes is longer than %d", what, n, maxText)
	}
	s := make([]byte, n)
	if err := readFull(r, s, what); err != nil {
		return "", err
	}
	return string(s), nil
}

// readFull fills b; what names it in the error.
func readFull(r io.Reader, b []byte, what string) error {
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("rfb: read %s: %w", what, err)
	}
	return nil
}

// send writes all of b.
func send(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}
	return nil
}
