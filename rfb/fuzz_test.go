package rfb_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"sage/rfb"
)

// replay is a connection whose peer has said everything already and listens to nothing.
type replay struct{ io.Reader }

func (replay) Write(b []byte) (int, error)      { return len(b), nil }
func (replay) Close() error                     { return nil }
func (replay) LocalAddr() net.Addr              { return nil }
func (replay) RemoteAddr() net.Addr             { return nil }
func (replay) SetDeadline(time.Time) error      { return nil }
func (replay) SetReadDeadline(time.Time) error  { return nil }
func (replay) SetWriteDeadline(time.Time) error { return nil }

// FuzzServer feeds arbitrary bytes as all that a server says: handshake and messages.
func FuzzServer(f *testing.F) {
	hello := append([]byte("RFB 003.008\n\x01\x01\x00\x00\x00\x00"), serverInit(8, 4, "d")...)
	join := func(parts ...[]byte) []byte { return bytes.Join(append([][]byte{hello}, parts...), nil) }
	f.Add([]byte("RFB 003.003\n\x00\x00\x00\x00\x00\x00\x00\x02no"))
	f.Add([]byte("RFB 003.007\n\x02\x02\x13"))
	f.Add(join(update(1), raw(0, 0, 8, 4, 1, 2, 3)))
	f.Add(join(update(1), rect(0, 0, 8, 4, 0)))
	f.Add(join(update(2), raw(0, 0, 8, 2, 1, 2, 3), rect(0, 2, 8, 2, 1), []byte{0, 0, 0, 0}))
	f.Add(join(update(1), rect(0, 0, 3, 3, -223), update(1), raw(0, 0, 3, 3, 7, 7, 7)))
	f.Add(join([]byte{2}, []byte{3, 0, 0, 0, 0, 0, 0, 1, 'x'}, []byte{1, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6}))
	z := new(deflater)
	f.Add(join(update(2), z.zrleRect(0, 0, 8, 2, append([]byte{1}, 1, 2, 3)), z.zrleRect(0, 2, 8, 2, []byte{130, 1, 2, 3, 4, 5, 6, 0x80, 14, 1})))
	f.Add(join(update(1), new(deflater).tightRect(0, 0, 8, 4, []byte{0x50, 2}, make([]byte, 96))))
	f.Add(join(update(1), new(deflater).tightRect(0, 0, 8, 4, []byte{0x60, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9}, make([]byte, 32))))
	f.Add(join(update(1), rect(0, 0, 8, 4, 7), []byte{0x80, 1, 2, 3}))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := rfb.NewClient(t.Context(), replay{bytes.NewReader(data)}, rfb.Options{MaxPixels: 1 << 12})
		if err != nil {
			return
		}
		for range 3 {
			m, err := c.Capture(t.Context())
			if err != nil {
				return
			}
			if w, h := c.Size(); m.Rect.Dx() != w || m.Rect.Dy() != h {
				t.Fatalf("picture of %v, size is %dx%d", m.Rect, w, h)
			}
			for i := 3; i < len(m.Pix); i += 4 {
				if m.Pix[i] != 0xff {
					t.Fatal("a pixel of a whole picture never came")
				}
			}
		}
	})
}
