package rfb_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// script is a stand-in for a server: it runs on its own connection and ends with it.
type script func(t *testing.T, s *stub)

// stub is the server's side of a connection.
type stub struct {
	net.Conn
	br *bufio.Reader
}

// serve gives the client's side of a connection whose other side is played by f.
func serve(t *testing.T, f script) net.Conn {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		f(t, &stub{conn, bufio.NewReader(conn)})
	}()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = ln.Close()
		<-done
	})
	return conn
}

func (s *stub) send(parts ...any) {
	for _, p := range parts {
		switch v := p.(type) {
		case string:
			_, _ = io.WriteString(s, v)
		case []byte:
			_, _ = s.Write(v)
		default:
			_ = binary.Write(s, binary.BigEndian, v)
		}
	}
}

// recv reads n bytes; nil when the client has gone.
func (s *stub) recv(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.br, b); err != nil {
		return nil
	}
	return b
}

// serverInit is the message of RFC 6143 section 7.3.2.
func serverInit(w, h uint16, name string) []byte {
	b := binary.BigEndian.AppendUint16(nil, w)
	b = binary.BigEndian.AppendUint16(b, h)
	b = append(b, make([]byte, 16)...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
	return append(b, name...)
}

// hello does the whole handshake of version 3.8 and swallows what the client wishes.
func (s *stub) hello(w, h uint16) { s.greet(w, h) }

// greet is hello and gives the client's list of encodings.
func (s *stub) greet(w, h uint16) []byte {
	s.send("RFB 003.008\n")
	s.recv(12)
	s.send(uint8(1), uint8(1))
	s.recv(1)
	s.send(uint32(0))
	s.recv(1)
	s.send(serverInit(w, h, "test"))
	s.recv(20) // SetPixelFormat.
	head := s.recv(4)
	if head == nil {
		return nil
	}
	return s.recv(4 * int(binary.BigEndian.Uint16(head[2:])))
}

// request reads one FramebufferUpdateRequest; nil when the client has gone.
func (s *stub) request() []byte { return s.recv(10) }

// update is the head of a FramebufferUpdate.
func update(rects uint16) []byte { return binary.BigEndian.AppendUint16([]byte{0, 0}, rects) }

// rect is the head of a rectangle.
func rect(x, y, w, h uint16, encoding int32) []byte {
	var b []byte
	for _, v := range []uint16{x, y, w, h} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return binary.BigEndian.AppendUint32(b, uint32(encoding))
}

// raw is a rectangle of one colour.
func raw(x, y, w, h uint16, r, g, b byte) []byte {
	out := rect(x, y, w, h, 0)
	for range int(w) * int(h) {
		out = append(out, r, g, b, 0)
	}
	return out
}
