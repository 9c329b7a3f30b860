package rfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"sage/rfb"
	"sage/rfb/rfbtest"
)

// told is a server's message put together again from its pieces.
type told struct {
	kind  rfb.ServerMessageType
	bytes []byte
}

// deep is a pixel format of 32 bits whose pixels Tight shortens.
func deep() rfb.PixelFormat {
	return rfb.PixelFormat{BitsPerPixel: 32, Depth: 24, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 16, GreenShift: 8}
}

// follower gives a scanner that knows the pixel format.
func follower(t testing.TB) *rfb.ServerScanner {
	t.Helper()
	s := new(rfb.ServerScanner)
	if err := s.SetPixelFormat(deep()); err != nil {
		t.Fatal(err)
	}
	return s
}

// walk feeds b in pieces of the given size.
func walk(t testing.TB, s *rfb.ServerScanner, b []byte, size int) []told {
	t.Helper()
	all, err := tryWalk(t, s, b, size)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func tryWalk(t testing.TB, s *rfb.ServerScanner, b []byte, size int) (all []told, err error) {
	t.Helper()
	within := false
	for ; len(b) > 0; b = b[min(size, len(b)):] {
		for rest := b[:min(size, len(b))]; ; {
			var m rfb.ServerMessage
			if m, rest, err = s.Next(rest); err != nil {
				return all, err
			}
			if m.Bytes == nil {
				break
			}
			if m.First == within {
				t.Fatalf("first %v within a message %v", m.First, within)
			}
			if m.First {
				all = append(all, told{kind: m.Type})
			}
			last := &all[len(all)-1]
			last.bytes = append(last.bytes, m.Bytes...)
			within = !m.Last
		}
	}
	return all, nil
}

// serverConversation has one message of each kind, and a rectangle of each encoding.
func serverConversation() [][]byte {
	const any, coloured, fg, bg, rawTile = 8, 16, 4, 2, 1
	head := func(n int) []byte { return update(uint16(n)) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	u32 := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	all := [][]byte{
		{2}, zeros(6+2*6, 1, 0, 0, 0, 0, 2), cutText(3, 5, "hello"), cutText(3, 0, ""), cutText(3, -4, "\x01\x00\x00\x00"),
		cutText(3, -9, "\x10\x00\x00\x01defla"), {150}, zeros(9+3, 248, 0, 0, 0, 0, 0, 0, 0, 3), {250, 0, 1, 1}, head(0),
		join([]byte{0, 0, 0xff, 0xff}, raw(0, 0, 2, 2, 1, 1, 1), rect(0, 0, 0, 0, -224)),
	}
	for _, r := range [][]byte{
		raw(0, 0, 3, 5, 1, 2, 3),
		raw(0, 0, 0, 5, 1, 2, 3),
		zeros(12+4, rect(0, 0, 2, 2, 1)...),
		join(rect(0, 0, 9, 9, 2), u32(3), zeros(4+3*12)),
		join(rect(0, 0, 9, 9, 4), u32(3), zeros(4+3*8)),
		join(rect(0, 0, 20, 17, 5), zeros(1+16*16*4, rawTile), []byte{0}, zeros(1+4+4, bg|fg), zeros(1+4+1+2*(4+2), bg|any|coloured, 0, 0, 0, 0, 2)),
		join(rect(0, 0, 20, 16, 5), zeros(1+4+1+3*2, fg|any, 0, 0, 0, 0, 3), zeros(1+4*16*4, rawTile|bg)),
		join(rect(0, 0, 5, 5, 6), u32(7), zeros(7)),
		join(rect(0, 0, 5, 5, 16), u32(7), zeros(7)),
		join(rect(0, 0, 5, 5, 17), u32(0)),
		join(rect(0, 0, 5, 5, 50), u32(7), zeros(4), zeros(7)),
		join(rect(0, 0, 5, 5, 7), []byte{0x80, 1, 2, 3}),
		join(rect(0, 0, 5, 5, 7), []byte{0x9f}, tightLength(300), zeros(300)),
		join(rect(0, 0, 5, 5, 7), []byte{0x00}, tightLength(9), zeros(9)),
		join(rect(0, 0, 5, 5, 7), []byte{0x30}, tightLength(20000), zeros(20000)),
		join(rect(0, 0, 3, 1, 7), []byte{0x10}, zeros(9)),
		join(rect(0, 0, 5, 5, 7), []byte{0x40, 0}, tightLength(9), zeros(9)),
		join(rect(0, 0, 9, 9, 7), []byte{0x50, 1, 1}, zeros(6), tightLength(9), zeros(9)),
		join(rect(0, 0, 9, 5, 7), []byte{0x50, 1, 1}, zeros(6), zeros(10)),
		join(rect(0, 0, 4, 4, 7), []byte{0x60, 1, 9}, zeros(30), tightLength(5), zeros(5)),
		join(rect(0, 0, 4, 4, 7), []byte{0x70, 2}, tightLength(5), zeros(5)),
		join(rect(0, 0, 4, 4, 7), []byte{0xa0}, tightLength(48), zeros(48)),
		join(rect(0, 0, 4, 4, 7), []byte{0xe0, 1, 2}, zeros(9), tightLength(16), zeros(16)),
		join(rect(0, 0, 5, 5, -260), []byte{0xa0}, tightLength(300), zeros(300)),
		join(rect(0, 0, 5, 5, -260), []byte{0x80, 1, 2, 3}),
		join(rect(0, 0, 9, 3, -239), zeros(9*3*4+2*3)),
		join(rect(0, 0, 9, 3, -240), zeros(6+2*2*3)),
		rect(0, 0, 0, 0, -240),
		join(rect(0, 0, 9, 3, -314), u32(0), zeros(9*3*4)),
		join(rect(0, 0, 9, 3, 0x574d5664), []byte{0, 0}, zeros(2*9*3*4)),
		join(rect(0, 0, 9, 3, 0x574d5664), []byte{1, 0}, zeros(9*3*4)),
		rect(1, 2, 0, 0, 0x574d5666),
		join(rect(0, 0, 0, 0, 0x574d5668), u32(1)),
		rect(0, 0, 9, 3, -223), rect(0, 0, 9, 3, -232), rect(0, 0, 9, 3, -257), rect(0, 0, 0, 0, -258),
		join(rect(0, 0, 0, 0, -261), []byte{1}),
		join(rect(0, 0, 0, 0, -307), u32(4), []byte("name")),
		join(rect(1, 0, 9, 3, -308), []byte{2, 0, 0, 0}, zeros(32)),
	} {
		all = append(all, join(head(1), r), join(head(2), r, raw(0, 0, 1, 1, 9, 9, 9)))
	}
	return all
}

func TestServerScannerFindsMessages(t *testing.T) {
	messages := serverConversation()
	all := bytes.Join(messages, nil)
	for _, size := range []int{1, 2, 3, 5, 7, 11, 64, len(all)} {
		got := walk(t, follower(t), all, size)
		if len(got) != len(messages) {
			t.Fatalf("in pieces of %d: %d messages, want %d", size, len(got), len(messages))
		}
		for i, m := range messages {
			if !bytes.Equal(got[i].bytes, m) || byte(got[i].kind) != m[0] {
				t.Errorf("in pieces of %d: message %d is %x, want %x", size, i, got[i].bytes, m)
			}
		}
	}
}

func TestServerScannerPixelSizes(t *testing.T) {
	format := deep()
	format.BitsPerPixel, format.Depth = 16, 16
	s := new(rfb.ServerScanner)
	if err := s.SetPixelFormat(format); err != nil {
		t.Fatal(err)
	}
	messages := [][]byte{
		zeros(16+2*2*2, append(update(1), rect(0, 0, 2, 2, 0)...)...),
		append(append(update(1), rect(0, 0, 5, 5, 7)...), 0x80, 1, 2),
		{2},
	}
	if got := walk(t, s, bytes.Join(messages, nil), 100); len(got) != 3 || !bytes.Equal(got[1].bytes, messages[1]) {
		t.Errorf("got %x", got)
	}
}

func TestServerScannerStops(t *testing.T) {
	for name, b := range map[string][]byte{
		"unknown type":        {77},
		"TRLE":                append(update(1), rect(0, 0, 5, 5, 15)...),
		"tight type 11":       append(append(update(1), rect(0, 0, 5, 5, 7)...), 0xb0),
		"tight type 12":       append(append(update(1), rect(0, 0, 5, 5, 7)...), 0xc0),
		"tightpng type 14":    append(append(update(1), rect(0, 0, 5, 5, -260)...), 0xe0),
		"tight filter 3":      append(append(update(1), rect(0, 0, 5, 5, 7)...), 0x40, 3),
		"tight palette of 1":  append(append(update(1), rect(0, 0, 5, 5, 7)...), 0x40, 1, 0),
		"cursor in hextile":   append(append(update(1), rect(0, 0, 5, 5, -314)...), 0, 0, 0, 5),
		"VMware cursor 2":     append(append(update(1), rect(0, 0, 5, 5, 0x574d5664)...), 2, 0),
		"clipboard, no flags": cutText(3, -3, "abc"),
	} {
		for _, size := range []int{1, 100} {
			s := follower(t)
			_, err := tryWalk(t, s, b, size)
			var se *rfb.ServerMessageError
			if !errors.As(err, &se) {
				t.Errorf("%s: error %v", name, err)
			}
			if _, _, again := s.Next([]byte{2}); again == nil {
				t.Errorf("%s: it goes on", name)
			}
		}
	}
}

func TestServerScannerFormats(t *testing.T) {
	odd, tiny, shallow := deep(), deep(), deep()
	odd.RedShift = 3
	tiny.BitsPerPixel = 4
	shallow.BitsPerPixel, shallow.Depth = 16, 16
	var fe *rfb.FormatError
	s := new(rfb.ServerScanner)
	for _, f := range []rfb.PixelFormat{odd, tiny} {
		if err := s.SetPixelFormat(f); !errors.As(err, &fe) || fe.Late {
			t.Errorf("%+v: error %v", f, err)
		}
	}
	for _, f := range []rfb.PixelFormat{shallow, deep()} {
		if err := s.SetPixelFormat(f); err != nil {
			t.Error(err)
		}
	}
	s.FixFormat()
	swapped := deep()
	swapped.BigEndian = true
	if err := s.SetPixelFormat(swapped); err != nil {
		t.Error(err)
	}
	if err := s.SetPixelFormat(shallow); !errors.As(err, &fe) || !fe.Late {
		t.Errorf("error %v", err)
	}
}

func TestServerScannerAllocatesNothing(t *testing.T) {
	data := bytes.Join(serverConversation(), nil)
	s := follower(t)
	if n := testing.AllocsPerRun(10, func() {
		for rest := data; ; {
			m, next, err := s.Next(rest)
			if err != nil {
				t.Fatal(err)
			}
			if m.Bytes == nil {
				break
			}
			rest = next
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzServerScanner checks that the messages do not depend on how the bytes are cut, and that nothing gets lost.
func FuzzServerScanner(f *testing.F) {
	for _, m := range serverConversation() {
		f.Add(m, uint8(3))
	}
	for _, recording := range rfbtest.Recordings(f, "testdata") {
		f.Add(recording.Server[:min(len(recording.Server), 20<<10)], uint8(100))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		whole, err1 := tryWalk(t, follower(t), data, max(1, len(data)))
		cut, err2 := tryWalk(t, follower(t), data, max(1, int(size)))
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("whole: %v; cut: %v", err1, err2)
		}
		if err1 != nil {
			return // Pieces of the last message may have come.
		}
		if len(whole) != len(cut) {
			t.Fatalf("whole: %d messages, cut: %d", len(whole), len(cut))
		}
		for i := range whole {
			if !bytes.Equal(whole[i].bytes, cut[i].bytes) {
				t.Fatalf("message %d differs", i)
			}
		}
	})
}
