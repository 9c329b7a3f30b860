package viewer_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"sage/rfb"
	"sage/viewer"
)

// nowhere is a server's end that takes everything.
type nowhere struct{ net.Conn }

func (nowhere) Write(b []byte) (int, error)      { return len(b), nil }
func (nowhere) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkFromClient feeds what a person who moves the pointer sends: one small piece at a time, as it comes.
func BenchmarkFromClient(b *testing.B) {
	for name, p := range map[string]viewer.Policy{
		"control":  {},
		"viewonly": {ViewOnly: true, Clipboard: viewer.ClipboardOut},
		"nopaste":  {Clipboard: viewer.ClipboardNone},
	} {
		b.Run(name, func(b *testing.B) {
			v := viewer.NewDesk(viewer.Options{}).Join(p, nil, nowhere{})
			defer v.Leave()
			piece := bytes.Join([][]byte{pointer, ask, pointer, pointer, key}, nil)
			b.SetBytes(int64(len(piece)))
			b.ReportAllocs()
			for b.Loop() {
				if err := v.FromClient(piece); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestForwardingAllocatesNothing(t *testing.T) {
	for _, p := range policies() {
		v := viewer.NewDesk(viewer.Options{}).Join(p, nil, nowhere{})
		fromClient(t, v, zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0), announce(rfb.EncodingExtendedClipboard))
		piece := bytes.Join([][]byte{
			pointer, ask, key, zeros(12, 255), zeros(10, 150), zeros(20, 248, 0, 0, 0, 0, 0, 0, 0, 11), extended(6, request, ""), extended(6, notify, ""),
			extended(6, caps, "\x00\x00\x00\x00"), cutText(6, string(make([]byte, 1000))), announce(rfb.EncodingTight, rfb.EncodingCopyRect),
			zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0), zeros(8, 253, 0x80, 0, 4), {250, 0, 1, 2},
		}, nil)
		if n := testing.AllocsPerRun(100, func() {
			if err := v.FromClient(piece); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%+v: %v allocations", p, n)
		}
		v.Leave()
	}
}
