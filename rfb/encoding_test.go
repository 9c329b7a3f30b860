package rfb_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"testing"

	"sage/rfb"
)

// deflater makes the pieces of a zlib stream that goes on.
type deflater struct {
	out bytes.Buffer
	w   *zlib.Writer
}

func (d *deflater) piece(b []byte) []byte {
	if d.w == nil {
		d.w = zlib.NewWriter(&d.out)
	}
	_, _ = d.w.Write(b)
	_ = d.w.Flush()
	defer d.out.Reset()
	return bytes.Clone(d.out.Bytes())
}

// zrleRect is a rectangle in ZRLE.
func (d *deflater) zrleRect(x, y, w, h uint16, tiles ...[]byte) []byte {
	data := d.piece(bytes.Join(tiles, nil))
	return append(binary.BigEndian.AppendUint32(rect(x, y, w, h, 16), uint32(len(data))), data...)
}

// tightLength is a length of one to three bytes.
func tightLength(n int) []byte {
	switch {
	case n < 1<<7:
		return []byte{byte(n)}
	case n < 1<<14:
		return []byte{byte(n) | 0x80, byte(n >> 7)}
	default:
		return []byte{byte(n) | 0x80, byte(n>>7) | 0x80, byte(n >> 14)}
	}
}

// tightRect is a rectangle in Tight whose data is compressed.
func (d *deflater) tightRect(x, y, w, h uint16, head, data []byte) []byte {
	data = d.piece(data)
	return bytes.Join([][]byte{rect(x, y, w, h, 7), head, tightLength(len(data)), data}, nil)
}

// picture has pixels that depend on their place in a way that no neighbour tells.
func picture(w, h int) (rgb []byte) {
	for y := range h {
		for x := range w {
			rgb = append(rgb, byte(x*7+y), byte(x^y*31), byte(x*y+5))
		}
	}
	return rgb
}

// gradient makes what Tight's filter makes of the pixels.
func gradient(rgb []byte, w int) []byte {
	at := func(x, y, i int) int {
		if x < 0 || y < 0 {
			return 0
		}
		return int(rgb[3*(y*w+x)+i])
	}
	out := make([]byte, len(rgb))
	for n := range rgb {
		x, y, i := n/3%w, n/3/w, n%3
		out[n] = rgb[n] - byte(min(max(at(x-1, y, i)+at(x, y-1, i)-at(x-1, y-1, i), 0), 255))
	}
	return out
}

func TestDecoders(t *testing.T) {
	const w, h = 70, 66 // Four tiles of ZRLE.
	rgb := picture(w, h)
	cut := func(x0, y0, x1, y1 int) (b []byte) {
		for y := y0; y < y1; y++ {
			b = append(b, rgb[3*(y*w+x0):3*(y*w+x1)]...)
		}
		return b
	}
	red, blue := []byte{255, 0, 0}, []byte{0, 0, 255}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	plain := func(c []byte, n int) []byte { return bytes.Repeat(c, n) }
	// Columns of red and blue in turn, over eight by four pixels.
	striped := bytes.Repeat(join(red, blue), 16)
	for _, tt := range []struct {
		name  string
		w, h  uint16
		rects func(d *deflater) [][]byte
		want  []byte
	}{
		{"zrle raw", w, h, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, w, h,
				join([]byte{0}, cut(0, 0, 64, 64)), join([]byte{0}, cut(64, 0, w, 64)),
				join([]byte{0}, cut(0, 64, 64, h)), join([]byte{0}, cut(64, 64, w, h)))}
		}, rgb},
		{"zrle in one stream", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 8, 2, join([]byte{1}, red)), d.zrleRect(0, 0, 0, 0), d.zrleRect(0, 2, 8, 2, join([]byte{1}, blue))}
		}, join(plain(red, 16), plain(blue, 16))},
		{"zrle palette of 2", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 8, 4, join([]byte{2}, red, blue, []byte{0x55, 0x55, 0x55, 0x55}))}
		}, striped},
		{"zrle palette of 3", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 8, 4, join([]byte{3}, red, red, blue, plain([]byte{0x22, 0x22}, 4)))}
		}, striped},
		{"zrle palette of 5", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 8, 4, join([]byte{5}, red, red, red, red, blue, plain([]byte{0x04}, 16)))}
		}, striped},
		{"zrle runs", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 8, 4, join([]byte{128}, red, []byte{15}, blue, []byte{15}))}
		}, join(plain(red, 16), plain(blue, 16))},
		{"zrle long runs", 64, 8, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 64, 8, join([]byte{128}, red, []byte{255, 44}, blue, []byte{211}))}
		}, join(plain(red, 300), plain(blue, 212))},
		{"zrle runs of a palette", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.zrleRect(0, 0, 8, 4, join([]byte{130}, red, blue, []byte{0x80, 14, 0, 0x81, 15}))}
		}, join(plain(red, 16), plain(blue, 16))},
		{"tight fill", 8, 4, func(*deflater) [][]byte { return [][]byte{join(rect(0, 0, 8, 4, 7), []byte{0x80}, red)} }, plain(red, 32)},
		{"tight copy", w, h, func(d *deflater) [][]byte { return [][]byte{d.tightRect(0, 0, w, h, []byte{0}, rgb)} }, rgb},
		{"tight copy, by name", w, h, func(d *deflater) [][]byte { return [][]byte{d.tightRect(0, 0, w, h, []byte{0x60, 0}, rgb)} }, rgb},
		{"tight gradient", w, h, func(d *deflater) [][]byte {
			return [][]byte{d.tightRect(0, 0, w, h, []byte{0x50, 2}, gradient(rgb, w))}
		}, rgb},
		{"tight palette of 2", 8, 4, func(*deflater) [][]byte {
			return [][]byte{join(rect(0, 0, 8, 4, 7), []byte{0x40, 1, 1}, red, blue, []byte{0x55, 0x55, 0x55, 0x55})}
		}, striped},
		{"tight palette of 3", 8, 4, func(d *deflater) [][]byte {
			return [][]byte{d.tightRect(0, 0, 8, 4, join([]byte{0x40, 1, 2}, red, red, blue), plain([]byte{0, 2}, 16))}
		}, striped},
		{"tight stream begins anew", 8, 4, func(d *deflater) [][]byte {
			first := d.tightRect(0, 0, 8, 2, []byte{0}, plain(blue, 16))
			*d = deflater{}
			return [][]byte{first, d.tightRect(0, 0, 8, 2, []byte{1}, plain(red, 16)), d.tightRect(0, 2, 8, 2, []byte{0}, plain(blue, 16))}
		}, join(plain(red, 16), plain(blue, 16))},
		{"tight without compression", 8, 4, func(*deflater) [][]byte {
			return [][]byte{join(rect(0, 0, 8, 4, 7), []byte{0xa0, 96}, striped)}
		}, striped},
		{"tight too short to compress", 3, 1, func(*deflater) [][]byte {
			return [][]byte{join(rect(0, 0, 3, 1, 7), []byte{0}, cut(0, 0, 3, 1))}
		}, cut(0, 0, 3, 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rects := tt.rects(new(deflater))
			message := append(update(uint16(len(rects))), join(rects...)...)
			c := dial(t, func(_ *testing.T, s *stub) {
				s.hello(tt.w, tt.h)
				s.request()
				s.send(message)
				s.recv(1)
			})
			m, err := c.Capture(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range tt.want {
				if got := m.Pix[i/3*4+i%3]; got != tt.want[i] {
					t.Fatalf("colour %d of pixel %v is %d, want %d", i%3, image.Pt(i/3%int(tt.w), i/3/int(tt.w)), got, tt.want[i])
				}
			}
			// Who only walks over it finds the same end.
			s := follower(t)
			if got := walk(t, s, append(message, 2), 5); len(got) != 2 || !bytes.Equal(got[0].bytes, message) {
				t.Errorf("walked over %d messages", len(got))
			}
		})
	}
}

func TestMalformedPixels(t *testing.T) {
	z := func(tile ...byte) []byte { return new(deflater).zrleRect(0, 0, 8, 4, tile) }
	for name, b := range map[string][]byte{
		"zrle kind 17":             z(17),
		"zrle kind 129":            z(129),
		"zrle run too long":        z(append([]byte{128, 1, 2, 3}, bytes.Repeat([]byte{255}, 40)...)...),
		"zrle colour of a palette": z(130, 1, 2, 3, 4, 5, 6, 2),
		"zrle packed colour":       z(3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xff, 0xff),
		"zrle ends early":          z(0, 1, 2, 3),
		"zrle is no zlib":          append(binary.BigEndian.AppendUint32(rect(0, 0, 8, 4, 16), 4), "abcd"...),
		"zrle with much behind it": new(deflater).zrleRect(0, 0, 8, 4, []byte{1, 1, 2, 3}, pseudoRandom(1<<14)),
		"tight jpeg":               append(rect(0, 0, 8, 4, 7), 0x90, 1, 1),
		"tight png":                append(rect(0, 0, 8, 4, 7), 0xb0, 1, 1),
		"tight filter 3":           append(rect(0, 0, 8, 4, 7), 0x40, 3),
		"tight palette of 1":       append(rect(0, 0, 8, 4, 7), 0x40, 1, 0, 1, 2, 3, 0, 0, 0, 0),
		"tight colour":             new(deflater).tightRect(0, 0, 8, 4, []byte{0x40, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9}, bytes.Repeat([]byte{3}, 32)),
		"tight plain, wrong size":  append(rect(0, 0, 8, 4, 7), 0xa0, 95),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, func(_ *testing.T, s *stub) { s.hello(8, 4); s.request(); s.send(update(1), b) })
			if _, err := c.Capture(t.Context()); err == nil {
				t.Fatal("no error")
			}
			if err := c.Update(t.Context(), true); err == nil {
				t.Error("the client goes on with a stream out of step")
			}
		})
	}
}

func pseudoRandom(n int) []byte {
	b := make([]byte, n)
	for i, x := 0, uint32(1); i < n; i++ {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func TestVNCAuth(t *testing.T) {
	challenge := []byte("0123456789abcdef")
	for _, tt := range []struct {
		name     string
		play     func(s *stub) (answer []byte)
		rejected bool
		reason   string
	}{
		{"3.3", func(s *stub) []byte {
			s.send("RFB 003.003\n")
			s.recv(12)
			s.send(uint32(2), challenge)
			defer s.send(uint32(0))
			return s.recv(16)
		}, false, ""},
		{"3.7", func(s *stub) []byte {
			s.send("RFB 003.007\n")
			s.recv(12)
			s.send([]byte{2, 16, 2})
			s.recv(1)
			s.send(challenge)
			defer s.send(uint32(1))
			return s.recv(16)
		}, true, ""},
		{"3.8", func(s *stub) []byte {
			s.send("RFB 003.008\n")
			s.recv(12)
			s.send([]byte{1, 2})
			s.recv(1)
			s.send(challenge)
			defer s.send(uint32(1), uint32(5), "wrong")
			return s.recv(16)
		}, true, "wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := serve(t, func(t *testing.T, s *stub) {
				// openssl enc -des-ecb with the bits of each byte of the key reversed.
				const want = "\x56\x5b\x01\xda\xa8\x6c\xa2\xe6\x20\x25\x97\xc5\x53\x57\x90\x3e"
				if got := tt.play(s); string(got) != want {
					t.Errorf("answer %q, want %q", got, want)
				}
				s.recv(1)
				s.send(serverInit(8, 4, ""))
				s.recv(1)
			})
			c, err := rfb.NewClient(t.Context(), conn, rfb.Options{Password: "sesame42, and what is cut off"})
			var pe *rfb.PasswordError
			if errors.As(err, &pe) != tt.rejected || err != nil && !tt.rejected {
				t.Fatalf("error %v", err)
			}
			if tt.rejected {
				if pe.Reason != tt.reason {
					t.Errorf("reason %q, want %q", pe.Reason, tt.reason)
				}
				return
			}
			_ = c.Close()
		})
	}
}
