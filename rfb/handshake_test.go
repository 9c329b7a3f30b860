package rfb_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"sage/rfb"
)

func TestReadGreeting(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     rfb.Version
		notRFB   bool
		fails    bool
	}{
		{name: "3.3", in: "RFB 003.003\n", want: rfb.Version{Major: 3, Minor: 3}},
		{name: "3.8 with more behind it", in: "RFB 003.008\n\x01\x01", want: rfb.Version{Major: 3, Minor: 8}},
		{name: "apple", in: "RFB 003.889\n", want: rfb.Version{Major: 3, Minor: 889}},
		{name: "http", in: "HTTP/1.1 400 Bad Request\r\n", notRFB: true},
		{name: "short stranger", in: "SSH-2.0", notRFB: true},
		{name: "sign instead of digit", in: "RFB +03.008\n", notRFB: true},
		{name: "no newline", in: "RFB 003.008 ", notRFB: true},
		{name: "no point", in: "RFB 003,008\n", notRFB: true},
		{name: "ends early", in: "RFB 003.", fails: true},
		{name: "empty", in: "", fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := rfb.ReadGreeting(strings.NewReader(tt.in))
			if errors.Is(err, rfb.ErrNotRFB) != tt.notRFB || (err != nil) != (tt.notRFB || tt.fails) {
				t.Fatalf("error %v", err)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHandshakeVersions(t *testing.T) {
	for _, tt := range []struct {
		name, greeting, answer string
		security               script
	}{
		{"3.3", "RFB 003.003\n", "RFB 003.003\n", func(_ *testing.T, s *stub) { s.send(uint32(1)) }},
		{"3.7", "RFB 003.007\n", "RFB 003.007\n", func(_ *testing.T, s *stub) { s.send([]byte{2, 2, 1}); s.recv(1) }},
		{"3.8", "RFB 003.008\n", "RFB 003.008\n", func(_ *testing.T, s *stub) {
			s.send([]byte{2, 16, 1})
			s.recv(1)
			s.send(uint32(0))
		}},
		{"unknown old", "RFB 003.005\n", "RFB 003.003\n", func(_ *testing.T, s *stub) { s.send(uint32(1)) }},
		{"unknown new", "RFB 003.889\n", "RFB 003.008\n", func(_ *testing.T, s *stub) {
			s.send([]byte{1, 1})
			s.recv(1)
			s.send(uint32(0))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := serve(t, func(t *testing.T, s *stub) {
				s.send(tt.greeting)
				if got := s.recv(12); string(got) != tt.answer {
					t.Errorf("client answered %q, want %q", got, tt.answer)
				}
				tt.security(t, s)
				if got := s.recv(1); !bytes.Equal(got, []byte{1}) {
					t.Errorf("shared flag %v, want 1", got)
				}
				s.send(serverInit(640, 480, "a desk"))
				s.recv(1)
			})
			c, err := rfb.NewClient(t.Context(), conn, rfb.Options{Shared: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if w, h := c.Size(); w != 640 || h != 480 || c.Name() != "a desk" || c.Version().String() != tt.answer[6:7]+"."+tt.answer[10:11] {
				t.Errorf("got %dx%d %q %v", w, h, c.Name(), c.Version())
			}
		})
	}
}

func TestHandshakeFailures(t *testing.T) {
	v38 := func(s *stub) { s.send("RFB 003.008\n"); s.recv(12) }
	none := func(s *stub) { v38(s); s.send([]byte{1, 1}); s.recv(1); s.send(uint32(0)); s.recv(1) }
	for _, tt := range []struct {
		name  string
		play  func(s *stub)
		check func(error) bool
	}{
		{"password wanted", func(s *stub) { v38(s); s.send([]byte{2, 2, 19}); s.recv(1) }, func(err error) bool {
			var se *rfb.SecurityError
			return errors.As(err, &se) && slices.Equal(se.Offered, []rfb.SecurityType{rfb.SecurityVNCAuth, rfb.SecurityVeNCrypt}) &&
				strings.Contains(err.Error(), "VncAuth, VeNCrypt")
		}},
		{"password wanted, 3.3", func(s *stub) { s.send("RFB 003.003\n"); s.recv(12); s.send(uint32(2)); s.recv(1) }, func(err error) bool {
			var se *rfb.SecurityError
			return errors.As(err, &se)
		}},
		{"refused with reason", func(s *stub) { v38(s); s.send(uint8(0), uint32(8), "too many") }, func(err error) bool {
			var re *rfb.RefusedError
			return errors.As(err, &re) && re.Reason == "too many"
		}},
		{"refused with endless reason", func(s *stub) { v38(s); s.send(uint8(0), ^uint32(0)); s.recv(1) }, func(err error) bool {
			var re *rfb.RefusedError
			return errors.As(err, &re) && re.Reason == ""
		}},
		{"result failed", func(s *stub) { v38(s); s.send([]byte{1, 1}); s.recv(1); s.send(uint32(1), uint32(2), "no") }, func(err error) bool {
			var re *rfb.RefusedError
			return errors.As(err, &re) && re.Reason == "no"
		}},
		{"zero size", func(s *stub) { none(s); s.send(serverInit(0, 10, "")) }, nil},
		{"huge size", func(s *stub) { none(s); s.send(serverInit(65535, 65535, "")) }, nil},
		{"large area", func(s *stub) { none(s); s.send(serverInit(16384, 16384, "")) }, nil},
		{"endless name", func(s *stub) { none(s); s.send(make([]byte, 3), uint8(9), make([]byte, 16), ^uint32(0)); s.recv(1) }, nil},
		{"hangs up", func(s *stub) { v38(s) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := serve(t, func(_ *testing.T, s *stub) { tt.play(s) })
			c, err := rfb.NewClient(t.Context(), conn, rfb.Options{})
			if err == nil {
				c.Close()
				t.Fatal("handshake went through")
			}
			if tt.check != nil && !tt.check(err) {
				t.Errorf("unexpected error %v", err)
			}
			if _, err := conn.Write([]byte{0}); err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestHandshakeEndsWithContext(t *testing.T) {
	silent := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	conn := serve(t, func(_ *testing.T, s *stub) { close(silent); s.recv(1) })
	go func() { <-silent; cancel() }()
	if _, err := rfb.NewClient(ctx, conn, rfb.Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error", err)
	}
}
