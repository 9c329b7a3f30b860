package rfb_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"sage/rfb"
)

// squeezed is a zlib stream.
func squeezed(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Flush()
	return out.Bytes()
}

// TestWhatADesktopCosts lets servers send without an end what is cheap to send. A capture must fail at a bound that the
// limit of pixels sets, long before its context ends, and take little memory.
func TestWhatADesktopCosts(t *testing.T) {
	const side = 256 // The limit is a screen of this side, and so is the screen.
	const maxPixels = side * side
	var tiles []byte // A few bytes for each screen.
	z := new(deflater)
	for range 20 {
		tiles = append(tiles, z.zrleRect(0, 0, side, side, bytes.Repeat([]byte{1, 9, 9, 9}, side*side/64/64))...)
	}
	bomb := squeezed(make([]byte, 64<<20))
	again := func(parts ...[]byte) func(s *stub) {
		b := bytes.Repeat(slices.Concat(parts...), 1000)
		return func(s *stub) {
			for {
				if _, err := s.Write(b); err != nil {
					return
				}
			}
		}
	}
	u16 := func(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
	u32 := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	zero := func(n int) []byte { return make([]byte, n) }
	for name, play := range map[string]func(s *stub){
		"bells":          again([]byte{2}),
		"texts":          again(cutText(3, 5, "hello")),
		"empty texts":    again(cutText(3, 0, "")),
		"large texts":    again(cutText(3, 1<<12, string(zero(1<<12)))),
		"colour maps":    again([]byte{1, 0, 0, 0, 0, 2}, zero(12)),
		"empty updates":  again(update(0)),
		"empty pixels":   again(update(1000), bytes.Repeat(rect(0, 0, 0, 0, 0), 1000)),
		"single pixels":  again(update(1000), bytes.Repeat(raw(0, 0, 1, 1, 1, 1, 1), 1000)),
		"fills":          again(update(1), rect(0, 0, side, side-1, 7), []byte{0x80, 1, 2, 3}),
		"copies":         again(update(1), rect(0, 1, side, side-1, 1), u16(0), u16(0)),
		"copies of much": again(update(0xffff), bytes.Repeat(slices.Concat(rect(0, 1, side, side-1, 1), u16(0), u16(0)), 0xffff)),
		"the same size":  again(update(1), rect(0, 0, side, side, -223)),
		"sizes": func(s *stub) {
			for n := uint16(0); ; n++ {
				if s.request() == nil {
					return
				}
				s.send(update(2), rect(0, 0, 1, 1, 7), []byte{0x80, 1, 2, 3}, rect(0, 0, side, side-n%9, -223))
			}
		},
		"a bomb":         func(s *stub) { s.send(update(1), rect(0, 0, side, side, 7), []byte{0}, tightLength(len(bomb)), bomb) },
		"a bomb in ZRLE": func(s *stub) { s.send(update(1), rect(0, 0, side, side, 16), u32(len(bomb)), bomb) },
		"ZRLE":           func(s *stub) { s.send(update(0xffff), tiles) },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := rfb.NewClient(t.Context(), serve(t, func(_ *testing.T, s *stub) {
				s.hello(side, side)
				play(s)
			}), rfb.Options{MaxPixels: maxPixels})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = c.Capture(ctx)
			runtime.ReadMemStats(&after)
			if err == nil || ctx.Err() != nil {
				t.Errorf("error %v, of the context %v", err, ctx.Err())
			}
			// Two screens, the decompressors, and what the stand-in takes itself.
			if got := after.TotalAlloc - before.TotalAlloc; got > 2*4*maxPixels+2<<20 {
				t.Errorf("%d bytes were allocated", got)
			}
			if _, err := c.Capture(t.Context()); err == nil {
				t.Error("it goes on")
			}
		})
	}
}

func TestLargestScreen(t *testing.T) {
	for _, tt := range []struct {
		w, h uint16
		fits bool
	}{{4096, 2304, true}, {3840, 2160, true}, {2304, 4096, true}, {4096, 2305, false}, {7680, 4320, false}, {16384, 577, false}} {
		c, err := rfb.NewClient(t.Context(), serve(t, func(_ *testing.T, s *stub) { s.hello(tt.w, tt.h) }), rfb.Options{})
		if (err == nil) != tt.fits {
			t.Errorf("%dx%d: error %v", tt.w, tt.h, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// TestHonestServersMeetNoLimit captures the largest screen in Raw, after several changes of size.
func TestHonestServersMeetNoLimit(t *testing.T) {
	const w, h = 256, 256
	c, err := rfb.NewClient(t.Context(), serve(t, func(_ *testing.T, s *stub) {
		s.hello(w, h)
		for n := range uint16(3) {
			s.request()
			s.send(update(2), raw(0, 0, w, h-n, 1, 2, 3), rect(0, 0, w, h-n-1, -223))
		}
		s.request()
		for y := range uint16(h - 3) {
			s.send(update(1), raw(0, y, w, 1, 1, 2, 3))
			s.request()
		}
	}), rfb.Options{MaxPixels: w * h})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Capture(t.Context()); err != nil {
		t.Error(err)
	}
	if errors.Is(err, rfb.ErrLimit) {
		t.Error("a limit was met")
	}
}
