package viewer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"sage/rfb"
	"sage/viewer"
)

// update is a FramebufferUpdate with one raw rectangle in 32 bits, two by three pixels.
func update() []byte {
	b := []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0}
	return append(b, bytes.Repeat([]byte{3}, 24)...)
}

// followed gives a viewer whose server's messages are walked over, past its handshake.
func followed(t testing.TB, p viewer.Policy) *viewer.Viewer {
	v, _ := join(t, viewer.NewDesk(viewer.Options{}), p)
	fromClient(t, v, zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0), ask)
	return v
}

func TestWhatReachesTheClient(t *testing.T) {
	messages := [][]byte{
		update(), cutText(3, "a text of the desktop"), {2}, cutText(3, ""), extended(3, caps, "\x00\x00\x00\x00"),
		extended(3, request, ""), extended(3, peek, ""), update(), extended(3, notify, ""), extended(3, provide, "zzz"), zeros(12, 248, 0, 0, 0, 0, 0, 0, 0, 3),
	}
	all := bytes.Join(messages, nil)
	for _, tt := range []struct {
		policy viewer.Policy
		drops  []int
	}{
		{viewer.Policy{}, nil},
		{viewer.Policy{Clipboard: viewer.ClipboardOut}, nil},
		{viewer.Policy{ViewOnly: true}, nil},
		{viewer.Policy{Clipboard: viewer.ClipboardIn}, []int{1, 3, 8, 9}},
		{viewer.Policy{Clipboard: viewer.ClipboardNone}, []int{1, 3, 4, 5, 6, 8, 9}},
		{viewer.Policy{ViewOnly: true, Clipboard: viewer.ClipboardIn}, []int{1, 3, 4, 5, 6, 8, 9}},
	} {
		var want []byte
	next:
		for i, m := range messages {
			for _, d := range tt.drops {
				if i == d {
					continue next
				}
			}
			want = append(want, m...)
		}
		for _, size := range []int{1, 3, 7, 11, 30, len(all)} {
			v := followed(t, tt.policy)
			if v.FiltersServer() != (tt.drops != nil) {
				t.Errorf("%+v: filters %v", tt.policy, v.FiltersServer())
			}
			var got []byte
			for b := bytes.Clone(all); len(b) > 0; {
				n := min(size, len(b))
				out, err := v.ToClient(b[:n])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, out...)
				b = b[n:]
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%+v, pieces of %d: got %x, want %x", tt.policy, size, got, want)
			}
		}
	}
}

func TestServerSendsWhatItWasNotAskedFor(t *testing.T) {
	for name, b := range map[string][]byte{
		"message":  {77},
		"encoding": binary.BigEndian.AppendUint32([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 3}, 15),
	} {
		v := followed(t, viewer.Policy{Clipboard: viewer.ClipboardNone})
		_, err := v.ToClient(b)
		var se *rfb.ServerMessageError
		if !errors.As(err, &se) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// BenchmarkToClient walks over large updates, as they come from the kernel.
func BenchmarkToClient(b *testing.B) {
	v := followed(b, viewer.Policy{Clipboard: viewer.ClipboardNone})
	const side = 256
	message := append([]byte{0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0}, make([]byte, side*side*4)...)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if out, err := v.ToClient(message); err != nil || len(out) != len(message) {
			b.Fatal(len(out), err)
		}
	}
}
