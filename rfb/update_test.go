package rfb_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"testing"

	"sage/rfb"
)

func dial(t *testing.T, f script) *rfb.Client {
	t.Helper()
	c, err := rfb.NewClient(t.Context(), serve(t, f), rfb.Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestCapture(t *testing.T) {
	red, green := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}
	for _, tt := range []struct {
		name   string
		play   func(s *stub)
		size   image.Point
		pixels map[image.Point]color.RGBA
	}{
		{"one rectangle", func(s *stub) {
			s.request()
			s.send(update(1), raw(0, 0, 8, 4, 255, 0, 0))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: red, {7, 3}: red}},
		{"other messages come first", func(s *stub) {
			s.request()
			s.send(uint8(2))                                   // Bell.
			s.send([]byte{3, 0, 0, 0}, uint32(5), "hello")     // ServerCutText.
			s.send([]byte{1, 0, 0, 0, 0, 2}, make([]byte, 12)) // SetColourMapEntries.
			s.send(update(2), raw(0, 0, 8, 2, 255, 0, 0), raw(0, 2, 8, 2, 0, 255, 0))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: red, {0, 2}: green}},
		{"an answer in pieces", func(s *stub) {
			s.request()
			s.send(update(0))
			s.request()
			s.send(update(1), raw(0, 0, 8, 2, 255, 0, 0))
			s.request()
			s.send(update(1), raw(0, 1, 8, 3, 0, 255, 0))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: red, {7, 1}: green, {7, 3}: green}},
		{"overlapping copy down", func(s *stub) {
			s.request()
			s.send(update(3), raw(0, 0, 8, 1, 255, 0, 0), raw(0, 1, 8, 3, 0, 255, 0), rect(0, 1, 8, 3, 1), uint16(0), uint16(0))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: red, {0, 1}: red, {0, 2}: green, {0, 3}: green}},
		{"overlapping copy up", func(s *stub) {
			s.request()
			s.send(update(3), raw(0, 0, 8, 3, 0, 255, 0), raw(0, 3, 8, 1, 255, 0, 0), rect(0, 0, 8, 3, 1), uint16(0), uint16(1))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: green, {0, 1}: green, {0, 2}: red, {0, 3}: red}},
		{"copy fills the rest", func(s *stub) {
			s.request()
			s.send(update(2), raw(0, 0, 8, 2, 255, 0, 0), rect(0, 2, 8, 2, 1), uint16(0), uint16(0))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{7, 3}: red}},
		{"copy of what has not come", func(s *stub) {
			s.request()
			s.send(update(2), raw(0, 0, 8, 2, 255, 0, 0), rect(0, 0, 8, 2, 1), uint16(0), uint16(2))
			s.request()
			s.send(update(1), raw(0, 2, 8, 2, 0, 255, 0))
			s.request()
			s.send(update(1), raw(0, 0, 8, 2, 0, 255, 0))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: green, {7, 3}: green}},
		{"more rectangles than the head can say", func(s *stub) {
			s.request()
			s.send(update(0xffff), raw(0, 0, 8, 2, 255, 0, 0), raw(0, 2, 8, 2, 0, 255, 0), rect(0, 0, 0, 0, -224))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: red, {0, 2}: green}},
		{"fewer rectangles than the head says", func(s *stub) {
			s.request()
			s.send(update(7), raw(0, 0, 8, 4, 255, 0, 0), rect(0, 0, 0, 0, -224))
		}, image.Pt(8, 4), map[image.Point]color.RGBA{{0, 0}: red}},
		{"a new size, and the end", func(s *stub) {
			s.request()
			s.send(update(7), rect(0, 0, 2, 3, -223), rect(0, 0, 0, 0, -224))
			s.request()
			s.send(update(1), raw(0, 0, 2, 3, 0, 255, 0))
		}, image.Pt(2, 3), map[image.Point]color.RGBA{{1, 2}: green}},
		{"size changes meanwhile", func(s *stub) {
			s.request()
			s.send(update(2), raw(0, 0, 8, 4, 255, 0, 0), rect(0, 0, 2, 3, -223))
			s.request()
			s.send(update(1), raw(0, 0, 2, 3, 0, 255, 0))
		}, image.Pt(2, 3), map[image.Point]color.RGBA{{1, 2}: green}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, func(_ *testing.T, s *stub) { s.hello(8, 4); tt.play(s); s.recv(1) })
			m, err := c.Capture(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.Rect.Size() != tt.size {
				t.Fatalf("picture of %v, want %v", m.Rect.Size(), tt.size)
			}
			for p, want := range tt.pixels {
				if got := m.RGBAAt(p.X, p.Y); got != want {
					t.Errorf("pixel %v is %v, want %v", p, got, want)
				}
			}
			if w, h := c.Size(); image.Pt(w, h) != tt.size {
				t.Errorf("size %dx%d, want %v", w, h, tt.size)
			}
		})
	}
}

// TestCaptureOfTurboVNC plays a server that, to a client without LastRect, sends more rectangles than its update says.
func TestCaptureOfTurboVNC(t *testing.T) {
	c := dial(t, func(t *testing.T, s *stub) {
		known := s.greet(8, 4)
		if !bytes.Contains(known, []byte{0xff, 0xff, 0xff, 0x21}) {
			t.Error("the client does not follow changes of size: TurboVNC would let nobody change it meanwhile")
		}
		s.request()
		count := uint16(1)
		if bytes.Contains(known, []byte{0xff, 0xff, 0xff, 0x20}) {
			count = 0xffff
		}
		fill := []byte{0x80, 255, 0, 0}
		s.send(update(count), rect(0, 0, 8, 2, 7), fill, rect(0, 2, 8, 2, 7), fill)
		if count == 0xffff {
			s.send(rect(0, 0, 0, 0, -224))
		}
		s.recv(1)
	})
	m, err := c.Capture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := m.RGBAAt(7, 3); got != (color.RGBA{255, 0, 0, 255}) {
		t.Errorf("the last pixel is %v", got)
	}
}

func TestCaptureIsTheCallers(t *testing.T) {
	c := dial(t, func(_ *testing.T, s *stub) {
		s.hello(8, 4)
		for shade := byte(1); s.request() != nil; shade++ {
			s.send(update(1), raw(0, 0, 8, 4, shade, 0, 0))
		}
	})
	first, err := c.Capture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Capture(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := first.RGBAAt(0, 0).R; got != 1 {
		t.Errorf("a later picture was drawn into the first one: red is %d", got)
	}
}

func TestCaptureAsksForEverything(t *testing.T) {
	asked := make(chan []byte, 1)
	c := dial(t, func(_ *testing.T, s *stub) {
		s.hello(8, 4)
		asked <- s.request()
		s.send(update(1), raw(0, 0, 8, 4, 1, 2, 3))
	})
	if _, err := c.Capture(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := <-asked, []byte{3, 0, 0, 0, 0, 0, 0, 8, 0, 4}; !bytes.Equal(got, want) {
		t.Errorf("request %v, want %v", got, want)
	}
}

func TestMalformedMessages(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []any
	}{
		{"unknown message", []any{uint8(77)}},
		{"rectangle too far right", []any{update(1), rect(1, 0, 8, 1, 0)}},
		{"rectangle too far down", []any{update(1), rect(0, 4, 1, 1, 0)}},
		{"empty rectangle outside", []any{update(1), rect(9, 9, 0, 0, 0)}},
		{"copy from outside", []any{update(1), rect(0, 0, 4, 4, 1), uint16(5), uint16(0)}},
		{"encoding not asked for", []any{update(1), rect(0, 0, 1, 1, 5)}},
		{"extended desktop size", []any{update(1), rect(0, 0, 8, 4, -308)}},
		{"size zero", []any{update(1), rect(0, 0, 0, 0, -223)}},
		{"size too large", []any{update(1), rect(0, 0, 65535, 65535, -223)}},
		{"rectangle behind a new size", []any{update(2), rect(0, 0, 2, 2, -223), rect(0, 0, 1, 1, 0)}},
		{"endless clipboard", []any{[]byte{3, 0, 0, 0}, ^uint32(0)}},
		{"ends within pixels", []any{update(1), rect(0, 0, 8, 4, 0), "abc"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, func(_ *testing.T, s *stub) { s.hello(8, 4); s.request(); s.send(tt.data...) })
			if _, err := c.Capture(t.Context()); err == nil {
				t.Fatal("no error")
			}
			if err := c.Update(t.Context(), true); err == nil {
				t.Error("the client goes on with a stream out of step")
			}
		})
	}
}

func TestEndlessResizesEnd(t *testing.T) {
	c := dial(t, func(_ *testing.T, s *stub) {
		s.hello(8, 4)
		for i := uint16(0); s.request() != nil; i++ {
			s.send(update(1), rect(0, 0, 1+i%9, 4, -223))
		}
	})
	if _, err := c.Capture(t.Context()); err == nil {
		t.Fatal("no error")
	}
}

func TestUpdateGivenUpLeavesClientUsable(t *testing.T) {
	waiting, goOn := make(chan struct{}), make(chan struct{})
	c := dial(t, func(_ *testing.T, s *stub) {
		s.hello(8, 4)
		s.request()
		close(waiting)
		<-goOn
		s.request()
		s.send(update(1), raw(0, 0, 8, 4, 9, 9, 9))
		s.recv(1)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-waiting; cancel() }()
	if err := c.Update(ctx, true); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error", err)
	}
	close(goOn)
	if _, err := c.Capture(t.Context()); err != nil {
		t.Fatalf("capture afterwards: %v", err)
	}
}

func TestInput(t *testing.T) {
	got := make(chan []byte, 1)
	const want = "\x04\x01\x00\x00\x00\x00\x00A\x04\x00\x00\x00\x00\x00\x00A" + // A.
		"\x04\x01\x00\x00\x01\x00\x20\xac\x04\x00\x00\x00\x01\x00\x20\xac" + // Euro sign.
		"\x04\x01\x00\x00\x00\x00\xff\x0d\x04\x00\x00\x00\x00\x00\xff\x0d" + // Newline.
		"\x04\x01\x00\x00\x00\x00\xff\xe3" + // Control down.
		"\x05\x01\x01\x02\x00\x03"
	c := dial(t, func(_ *testing.T, s *stub) { s.hello(8, 4); got <- s.recv(len(want)) })
	for _, err := range []error{
		c.Type("A€\n"), c.Key(rfb.KeyControl, true), c.Pointer(258, 3, rfb.ButtonLeft),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if b := <-got; string(b) != want {
		t.Errorf("server got\n%q, want\n%q", b, want)
	}
	if err := c.Pointer(-1, 0, 0); err == nil {
		t.Error("a position left of the framebuffer went through")
	}
}
