package rfbtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Paint fills the server's screen with a picture of many colours, soft and hard ones: it is an X client of its own, of
// the four requests that this takes (X Window System Protocol, X11R7.7). It returns once the picture is drawn. The
// server must keep what is painted on its root window, as it does.
func (s *Server) Paint(t testing.TB, width, height int) {
	t.Helper()
	conn, err := net.Dial("unix", "/tmp/.X11-unix/X"+strings.TrimPrefix(s.Display, ":"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	le := binary.LittleEndian
	write := func(b []byte) {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	read := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(conn, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	write([]byte{'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	head := read(8)
	setup := read(4 * int(le.Uint16(head[6:])))
	if head[0] != 1 {
		t.Fatalf("X server refuses: %q", setup)
	}
	context := le.Uint32(setup[4:]) + 1
	vendor, formats := int(le.Uint16(setup[16:])), int(setup[21])
	root := le.Uint32(setup[32+(vendor+3)/4*4+8*formats:])

	write(request(55, 0, context, root, uint32(0))) // CreateGC.
	const rows = 64
	for y := 0; y < height; y += rows {
		n := min(rows, height-y)
		pixels := make([]byte, 0, 4*width*n)
		for row := range n {
			for x := range width {
				pixels = append(pixels, colours(x, y+row)...)
			}
		}
		// PutImage in format ZPixmap, at (0, y), 24 bits deep.
		write(request(72, 2, root, context, uint32(width)|uint32(n)<<16, uint32(y)<<16, uint32(24<<8), pixels))
	}
	write(request(43, 0)) // GetInputFocus: its answer comes when all before is done.
	if answer := read(32); answer[0] != 1 {
		t.Fatalf("X server answers %x", answer)
	}
}

// request is an X request: its number, a byte, and its content.
func request(opcode, data byte, content ...any) []byte {
	var b bytes.Buffer
	for _, c := range content {
		_ = binary.Write(&b, binary.LittleEndian, c)
	}
	head := binary.LittleEndian.AppendUint16([]byte{opcode, data}, uint16(1+b.Len()/4))
	return append(head, b.Bytes()...)
}

// colours gives blue, green, red of a pixel: plain fields, stripes of few colours, soft shades, and noise.
func colours(x, y int) []byte {
	switch x / 80 % 4 {
	case 0:
		return []byte{byte(y / 100 * 60), 40, 90, 0}
	case 1:
		return []byte{byte(x % 3 * 100), byte(y % 2 * 200), 30, 0}
	case 2:
		return []byte{byte(x + y), byte(x - y), byte(y), 0}
	default:
		n := uint32(x*7919+y*104729) * 2654435761
		return []byte{byte(n >> 8), byte(n >> 16), byte(n >> 24), 0}
	}
}
