package rfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"sage/rfb"
)

// announce is a SetEncodings message.
func announce(encodings ...rfb.Encoding) []byte {
	b := binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(len(encodings)))
	for _, e := range encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	return b
}

// cutText is a clipboard message of either side; a negative length marks the extended clipboard.
func cutText(kind byte, length int32, text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, uint32(length)), text...)
}

func zeros(n int, head ...byte) []byte { return append(head, make([]byte, n-len(head))...) }

// found is a message put together again from its pieces.
type found struct {
	kind  rfb.ClientMessageType
	bytes []byte
}

// scan feeds b in pieces of the given size and gives the messages, and what was not understood.
func scan(t testing.TB, s *rfb.ClientScanner, b []byte, size int) (all []found, left []byte, err error) {
	t.Helper()
	within := false
	for len(b) > 0 {
		n := min(size, len(b))
		rest := b[:n]
		for {
			var m rfb.ClientMessage
			if m, rest, err = s.Next(rest); err != nil {
				left = append(append(left, s.Held()...), rest...)
				return all, append(left, b[n:]...), err
			}
			if m.Bytes == nil {
				break
			}
			if m.First == within {
				t.Fatalf("first %v within a message %v", m.First, within)
			}
			if m.First {
				all = append(all, found{kind: m.Type})
			}
			last := &all[len(all)-1]
			if last.kind != m.Type {
				t.Fatalf("a piece of %v within %v", m.Type, last.kind)
			}
			last.bytes = append(last.bytes, m.Bytes...)
			within = !m.Last
		}
		b = b[n:]
	}
	return all, s.Held(), nil
}

// conversation has one message of each kind and form.
func conversation() [][]byte {
	return [][]byte{
		zeros(20, 0, 0, 0, 0, 32, 24, 0, 1),
		zeros(6, 5, 0x80), // Button 8, as ExtendedMouseButtons is not announced.
		announce(rfb.EncodingTight, rfb.EncodingExtendedMouse),
		zeros(10, 3, 1),
		zeros(8, 4, 1),
		zeros(6, 5, 0x7f),
		zeros(7, 5, 0x80),
		cutText(6, 5, "hello"),
		cutText(6, 0, ""),
		cutText(6, -4, "\x02\x00\x00\x01"),
		cutText(6, -20, "\x10\x00\x00\x01"+"0123456789abcdef"),
		cutText(6, 300, string(zeros(300))),
		zeros(10, 150, 1),
		zeros(9, 248),
		zeros(9+64, 248, 0, 0, 0, 0, 0, 0, 3, 64),
		{250, 0, 1, 2},
		zeros(8, 251, 0, 4, 0, 3, 0, 0),
		zeros(8+32, 251, 0, 4, 0, 3, 0, 2),
		zeros(8, 253, 0x81, 0, 4),
		zeros(4+256, 253, 0, 0, 1),
		zeros(12, 255, 0),
		{255, 1, 0, 0},
		{255, 1, 0, 1},
		zeros(10, 255, 1, 0, 2),
		announce(),
		zeros(6, 5, 0x80),
	}
}

func TestClientScannerFindsMessages(t *testing.T) {
	messages := conversation()
	all := bytes.Join(messages, nil)
	for _, size := range []int{1, 2, 3, 5, 7, 11, 64, len(all)} {
		got, left, err := scan(t, new(rfb.ClientScanner), all, size)
		if err != nil || len(left) > 0 || len(got) != len(messages) {
			t.Fatalf("in pieces of %d: %d messages, %d bytes left, error %v", size, len(got), len(left), err)
		}
		for i, m := range messages {
			if !bytes.Equal(got[i].bytes, m) || byte(got[i].kind) != m[0] {
				t.Errorf("in pieces of %d: message %d is %v %x, want %x", size, i, got[i].kind, got[i].bytes, m)
			}
		}
	}
}

func TestClientScannerStopsAtUnknown(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		kind rfb.ClientMessageType
	}{
		{"unknown type", zeros(9, 252), 252},
		{"FixColourMapEntries", zeros(9, 1), 1},
		{"KasmVNC's and other's 178", zeros(9, 178), 178},
		{"QEMU kind", zeros(9, 255, 7), 255},
		{"QEMU audio operation", zeros(9, 255, 1, 0, 3), 255},
		{"too many encodings", zeros(9, 2, 0, 4, 1), 2},
		{"fence too long", zeros(90, 248, 0, 0, 0, 0, 0, 0, 0, 65), 248},
		{"extended clipboard without flags", cutText(6, -3, "abc"), 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := [][]byte{zeros(8, 4), zeros(6, 5)}
			for _, size := range []int{1, 4, 1000} {
				got, left, err := scan(t, new(rfb.ClientScanner), bytes.Join(append(before, tt.data), nil), size)
				var unknown *rfb.UnknownMessageError
				if !errors.As(err, &unknown) || unknown.Type != tt.kind {
					t.Fatalf("in pieces of %d: error %v", size, err)
				}
				if len(got) != len(before) || !bytes.Equal(left, tt.data) {
					t.Errorf("in pieces of %d: %d messages, %x left, want %x", size, len(got), left, tt.data)
				}
			}
		})
	}
}

func TestClientScannerPlainPointer(t *testing.T) {
	data := append(announce(rfb.EncodingExtendedMouse), zeros(12, 5, 0x80, 0, 0, 0, 0, 5)...)
	got, _, err := scan(t, &rfb.ClientScanner{PlainPointer: true}, data, 1000)
	if err != nil || len(got) != 3 || len(got[1].bytes) != 6 {
		t.Errorf("got %v, error %v", got, err)
	}
}

func TestClientScannerAllocatesNothing(t *testing.T) {
	s := new(rfb.ClientScanner)
	data := bytes.Join(conversation(), nil)
	feed := func() {
		for _, part := range [][]byte{data[:31], data[31:]} {
			for rest := part; ; {
				m, next, err := s.Next(rest)
				if err != nil {
					t.Fatal(err)
				}
				if m.Bytes == nil {
					break
				}
				rest = next
			}
		}
	}
	feed() // Makes room for a message that is cut.
	if n := testing.AllocsPerRun(100, feed); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzClientScanner checks that the messages do not depend on how the bytes are cut, and that nothing gets lost.
func FuzzClientScanner(f *testing.F) {
	for _, m := range conversation() {
		f.Add(m, uint8(3))
	}
	f.Add(bytes.Join(conversation(), nil), uint8(7))
	f.Add(append(zeros(8, 4), 252, 1, 2, 3), uint8(1))
	for _, recording := range recordings(f) {
		f.Add(recording.client, uint8(13))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		whole, wholeLeft, err1 := scan(t, new(rfb.ClientScanner), data, max(1, len(data)))
		cut, cutLeft, err2 := scan(t, new(rfb.ClientScanner), data, max(1, int(size)))
		if (err1 == nil) != (err2 == nil) || len(whole) != len(cut) || !bytes.Equal(wholeLeft, cutLeft) {
			t.Fatalf("whole: %d messages, %x left, %v; cut: %d messages, %x left, %v",
				len(whole), wholeLeft, err1, len(cut), cutLeft, err2)
		}
		var together []byte
		for i := range whole {
			if !bytes.Equal(whole[i].bytes, cut[i].bytes) {
				t.Fatalf("message %d differs", i)
			}
			together = append(together, whole[i].bytes...)
		}
		if !bytes.Equal(append(together, wholeLeft...), data) {
			t.Fatal("the bytes are not all there")
		}
	})
}
