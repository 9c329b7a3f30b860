//go:build linux

package vnc

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Screen is what a server says of itself at the end of the handshake.
type Screen struct {
	Width, Height int
	Format        [16]byte // Of its pixels (RFC 6143 section 7.4).
	Name          string
}

// maxName bounds a desktop's name, in bytes.
const maxName = 4096

// Greet goes through the handshake as a viewer: version 3.8, no password, others stay.
func Greet(rw io.ReadWriter) (Screen, error) {
	var b [24]byte
	steps := []struct {
		read  int
		write string
	}{
		{12, "RFB 003.008\n"}, // The version.
		{2, "\x01"},           // One security type: None.
		{4, "\x01"},           // It went well; share the desktop.
	}
	for _, step := range steps {
		if _, err := io.ReadFull(rw, b[:step.read]); err != nil {
			return Screen{}, fmt.Errorf("RFB handshake: %w", err)
		}
		if _, err := io.WriteString(rw, step.write); err != nil {
			return Screen{}, fmt.Errorf("RFB handshake: %w", err)
		}
	}
	if _, err := io.ReadFull(rw, b[:24]); err != nil {
		return Screen{}, fmt.Errorf("RFB handshake: %w", err)
	}
	size := binary.BigEndian.Uint32(b[20:])
	if size > maxName {
		return Screen{}, fmt.Errorf("RFB handshake: a name of %d bytes", size)
	}
	name := make([]byte, size)
	if _, err := io.ReadFull(rw, name); err != nil {
		return Screen{}, fmt.Errorf("RFB handshake: %w", err)
	}
	return Screen{
		Width: int(binary.BigEndian.Uint16(b[0:])), Height: int(binary.BigEndian.Uint16(b[2:])),
		Format: [16]byte(b[4:20]), Name: string(name),
	}, nil
}
