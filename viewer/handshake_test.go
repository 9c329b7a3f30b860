package viewer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"sage/rfb"
	"sage/viewer"
)

var serverInit = rfb.ServerInit{
	Width: 640, Height: 480, Name: "a desk",
	Format: rfb.PixelFormat{BitsPerPixel: 32, Depth: 24, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 16, GreenShift: 8},
}.Append(nil)

// says sends a line of a side's script, and reads the other side's answer of n bytes.
func says(t *testing.T, c io.ReadWriter, line string, n int) string {
	if _, err := io.WriteString(c, line); err != nil {
		t.Errorf("write %q: %v", line, err)
	}
	return string(reads(t, c, n))
}

func TestHandshake(t *testing.T) {
	servers := map[string]func(t *testing.T, c net.Conn){
		"3.3": func(t *testing.T, c net.Conn) { says(t, c, "RFB 003.003\n", 12); says(t, c, "\x00\x00\x00\x01", 1) },
		"3.7": func(t *testing.T, c net.Conn) {
			says(t, c, "RFB 003.007\n", 12)
			says(t, c, "\x02\x02\x01", 1)
			reads(t, c, 1)
		},
		"3.8": func(t *testing.T, c net.Conn) {
			says(t, c, "RFB 003.008\n", 12)
			says(t, c, "\x01\x01", 1)
			if shared := says(t, c, "\x00\x00\x00\x00", 1); shared != "\x01" {
				t.Errorf("shared %q", shared)
			}
		},
	}
	clients := map[string]func(t *testing.T, c net.Conn){
		"3.3": func(t *testing.T, c net.Conn) { says(t, c, "RFB 003.003\n", 4); says(t, c, "\x00", 0) },
		"3.5": func(t *testing.T, c net.Conn) { says(t, c, "RFB 003.005\n", 4); says(t, c, "\x00", 0) },
		"3.7": func(t *testing.T, c net.Conn) {
			says(t, c, "RFB 003.007\n", 2)
			says(t, c, "\x01", 0)
			says(t, c, "\x00", 0)
		},
		"3.8": func(t *testing.T, c net.Conn) {
			says(t, c, "RFB 003.008\n", 2)
			says(t, c, "\x01", 4)
			says(t, c, "\x00", 0)
		},
	}
	for sn, server := range servers {
		for cn, client := range clients {
			t.Run(sn+" to "+cn, func(t *testing.T) {
				serverEnd, serverPlayed := pipe(t)
				clientEnd, clientPlayed := pipe(t)
				done := make(chan struct{})
				go func() {
					defer close(done)
					server(t, serverPlayed)
					_, _ = serverPlayed.Write(serverInit)
				}()
				v := viewer.NewDesk(viewer.Options{}).Join(viewer.Policy{}, clientEnd, serverEnd)
				defer v.Leave()
				failed := make(chan error, 1)
				go func() { failed <- v.Handshake(t.Context()) }()
				if greeting := string(reads(t, clientPlayed, 12)); greeting != "RFB 003.008\n" {
					t.Errorf("greeting %q", greeting)
				}
				client(t, clientPlayed)
				if got := reads(t, clientPlayed, len(serverInit)); !bytes.Equal(got, serverInit) {
					t.Errorf("server init %x, want %x", got, serverInit)
				}
				if err := <-failed; err != nil {
					t.Error(err)
				}
				<-done
			})
		}
	}
}

func TestHandshakeFails(t *testing.T) {
	willing := func(t *testing.T, c net.Conn) {
		says(t, c, "RFB 003.008\n", 12)
		says(t, c, "\x01\x01", 1)
		says(t, c, "\x00\x00\x00\x00", 0)
	}
	for _, tt := range []struct {
		name           string
		server, client func(t *testing.T, c net.Conn)
		check          func(e *viewer.HandshakeError) bool
	}{
		{"server is none", func(t *testing.T, c net.Conn) { says(t, c, "HTTP/1.1 400", 0) }, nil, func(e *viewer.HandshakeError) bool {
			return !e.Client && errors.Is(e, rfb.ErrNotRFB)
		}},
		{"server wants a password", func(t *testing.T, c net.Conn) { says(t, c, "RFB 003.008\n", 12); says(t, c, "\x01\x02", 0) }, nil,
			func(e *viewer.HandshakeError) bool {
				var se *rfb.SecurityError
				return !e.Client && errors.As(e, &se)
			}},
		{"server refuses", func(t *testing.T, c net.Conn) {
			says(t, c, "RFB 003.008\n", 12)
			says(t, c, "\x00\x00\x00\x00\x04full", 0)
		}, nil, func(e *viewer.HandshakeError) bool {
			var re *rfb.RefusedError
			return !e.Client && errors.As(e, &re) && re.Reason == "full"
		}},
		{"server's walkable format", func(t *testing.T, c net.Conn) { willing(t, c); reads(t, c, 1); says(t, c, string(zeros(24)), 0) },
			func(t *testing.T, c net.Conn) {
				says(t, c, "RFB 003.008\n", 2)
				says(t, c, "\x01", 4)
				says(t, c, "\x01", 0)
			},
			func(e *viewer.HandshakeError) bool {
				var fe *rfb.FormatError
				return !e.Client && errors.As(e, &fe)
			}},
		{"client is none", willing, func(t *testing.T, c net.Conn) { says(t, c, "GET / HTTP/1.1\r\n"[:12], 0) }, func(e *viewer.HandshakeError) bool {
			return e.Client && errors.Is(e, rfb.ErrNotRFB)
		}},
		{"client is too new", willing, func(t *testing.T, c net.Conn) { says(t, c, "RFB 005.000\n", 0) }, func(e *viewer.HandshakeError) bool {
			var ve *rfb.VersionError
			return e.Client && errors.As(e, &ve)
		}},
		{"client chooses", willing, func(t *testing.T, c net.Conn) { says(t, c, "RFB 003.007\n", 2); says(t, c, "\x02", 0) }, func(e *viewer.HandshakeError) bool {
			var ce *rfb.ChoiceError
			return e.Client && errors.As(e, &ce) && ce.Chosen == rfb.SecurityVNCAuth
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			serverEnd, serverPlayed := pipe(t)
			clientEnd, clientPlayed := pipe(t)
			done := make(chan struct{})
			go func() {
				defer close(done)
				tt.server(t, serverPlayed)
				serverPlayed.Close()
			}()
			played := make(chan struct{})
			go func() {
				defer close(played)
				if tt.client != nil {
					reads(t, clientPlayed, 12)
					tt.client(t, clientPlayed)
				}
			}()
			v := viewer.NewDesk(viewer.Options{}).Join(viewer.Policy{Clipboard: viewer.ClipboardIn}, clientEnd, serverEnd)
			defer v.Leave()
			err := v.Handshake(t.Context())
			var he *viewer.HandshakeError
			if !errors.As(err, &he) || !tt.check(he) || !strings.Contains(err.Error(), "must") {
				t.Errorf("error %v", err)
			}
			<-done
			<-played
		})
	}
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	for _, silent := range []string{"server", "client"} {
		t.Run(silent, func(t *testing.T) {
			serverEnd, serverPlayed := pipe(t)
			clientEnd, clientPlayed := pipe(t)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				defer cancel()
				if silent == "server" {
					return
				}
				says(t, serverPlayed, "RFB 003.003\n", 12)
				says(t, serverPlayed, "\x00\x00\x00\x01", 0)
				reads(t, clientPlayed, 12)
			}()
			v := viewer.NewDesk(viewer.Options{}).Join(viewer.Policy{}, clientEnd, serverEnd)
			defer v.Leave()
			if err := v.Handshake(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
	}
}
