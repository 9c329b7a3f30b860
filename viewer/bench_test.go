package viewer_test

import (
	"bytes"
	"net"
	"testing"
	"time"

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
