package rfbtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// xClient speaks the few requests of the X Window System Protocol (X11R7.7) that tests need. It has one window, which
// is never shown.
type xClient struct {
	t            testing.TB
	conn         net.Conn
	root, window uint32
	context      uint32 // For drawing.
	events       [][]byte
}

// connect is a new X client of the server.
func (s *Server) connect(t testing.TB) *xClient {
	t.Helper()
	conn, err := net.Dial("unix", "/tmp/.X11-unix/X"+strings.TrimPrefix(s.Display, ":"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	x := &xClient{t: t, conn: conn}
	x.write([]byte{'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	head := x.read(8)
	setup := x.read(4 * int(binary.LittleEndian.Uint16(head[6:])))
	if head[0] != 1 {
		t.Fatalf("X server refuses: %q", setup)
	}
	ids := binary.LittleEndian.Uint32(setup[4:])
	vendor, formats := int(binary.LittleEndian.Uint16(setup[16:])), int(setup[21])
	x.root = binary.LittleEndian.Uint32(setup[32+(vendor+3)/4*4+8*formats:])
	x.window, x.context = ids+1, ids+2
	x.request(1, 0, x.window, x.root, uint32(0), uint32(1|1<<16), uint32(0), uint32(0), uint32(0)) // CreateWindow.
	x.request(55, 0, x.context, x.root, uint32(0))                                                 // CreateGC.
	return x
}

func (x *xClient) write(b []byte) {
	if _, err := x.conn.Write(b); err != nil {
		x.t.Errorf("X client: %v", err)
	}
}

func (x *xClient) read(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(x.conn, b); err != nil {
		x.t.Errorf("X client: %v", err)
	}
	return b
}

// request sends a request: its number, a byte, and its content.
func (x *xClient) request(opcode, data byte, content ...any) {
	var b bytes.Buffer
	for _, c := range content {
		_ = binary.Write(&b, binary.LittleEndian, c)
	}
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
	x.write(append(binary.LittleEndian.AppendUint16([]byte{opcode, data}, uint16(1+b.Len()/4)), b.Bytes()...))
}

// reply reads the answer to the last request; events that come before it wait.
func (x *xClient) reply() []byte {
	for {
		b := x.read(32)
		switch b[0] {
		case 0:
			x.t.Errorf("X error %x", b)
			return b
		case 1:
			return append(b, x.read(4*int(binary.LittleEndian.Uint32(b[4:])))...)
		default:
			x.events = append(x.events, b)
		}
	}
}

// event gives the next event of a kind; others are forgotten.
func (x *xClient) event(kind byte) ([]byte, error) {
	for {
		var b []byte
		if len(x.events) > 0 {
			b, x.events = x.events[0], x.events[1:]
		} else {
			b = make([]byte, 32)
			if _, err := io.ReadFull(x.conn, b); err != nil {
				return nil, fmt.Errorf("X client: %w", err)
			}
		}
		switch b[0] & 0x7f {
		case 0:
			return nil, fmt.Errorf("X error %x", b)
		case kind:
			return b, nil
		}
	}
}

// sync returns when the server has done all that was requested.
func (x *xClient) sync() {
	x.request(43, 0) // GetInputFocus.
	x.reply()
}

// atom gives the number of a name.
func (x *xClient) atom(name string) uint32 {
	x.request(16, 0, uint16(len(name)), uint16(0), []byte(name)) // InternAtom.
	return binary.LittleEndian.Uint32(x.reply()[8:])
}
