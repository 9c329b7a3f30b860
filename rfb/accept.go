package rfb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Accept does the server's part of the handshake with a client, from the greeting to ClientInit (RFC 6143 section
// 7.1 to 7.3.1): the client chooses among the versions 3.3, 3.7 and 3.8, and security is None. What is left to do is
// sending [ServerInit]. It reads no byte too many. The caller bounds the time.
//
// Errors: [ErrNotRFB], [*VersionError], [*ChoiceError], or what the connection says.
func Accept(client io.ReadWriter) (v Version, shared bool, err error) {
	if err := send(client, []byte(Version{3, 8}.greeting())); err != nil {
		return Version{}, false, err
	}
	v, err = ReadGreeting(client)
	if err != nil {
		return Version{}, false, fmt.Errorf("rfb: answer to the greeting: %w", err)
	}
	if v.Major != 3 || v.Minor > 8 {
		return v, false, &VersionError{Version: v}
	}
	// What is between the published versions is what is below it (RFC 6143 section 7.1.1).
	v = v.negotiated()
	if v.Minor == 3 {
		err = send(client, binary.BigEndian.AppendUint32(nil, uint32(SecurityNone)))
	} else {
		err = offerNone(client, v)
	}
	if err != nil {
		return v, false, err
	}
	var b [1]byte
	if err := readFull(client, b[:], "client init"); err != nil {
		return v, false, err
	}
	return v, b[0] != 0, nil
}

// offerNone is the security handshake since version 3.7 with None alone (RFC 6143 section 7.1.2).
func offerNone(client io.ReadWriter, v Version) error {
	if err := send(client, []byte{1, byte(SecurityNone)}); err != nil {
		return err
	}
	var b [1]byte
	if err := readFull(client, b[:], "choice of security"); err != nil {
		return err
	}
	if chosen := SecurityType(b[0]); chosen != SecurityNone {
		return &ChoiceError{Chosen: chosen}
	}
	if v.Minor < 8 {
		return nil
	}
	return send(client, binary.BigEndian.AppendUint32(nil, 0)) // SecurityResult: OK.
}

// VersionError says that a client answered the greeting with a version that it was not offered.
type VersionError struct{ Version Version }

// Error names the version.
func (e *VersionError) Error() string {
	return fmt.Sprintf("rfb: client wants version %v; 3.3, 3.7 and 3.8 are spoken", e.Version)
}

// ChoiceError says that a client chose a security type that it was not offered.
type ChoiceError struct{ Chosen SecurityType }

// Error names the type.
func (e *ChoiceError) Error() string {
	return fmt.Sprintf("rfb: client chose security %v; only None was offered", e.Chosen)
}
