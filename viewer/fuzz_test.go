package viewer_test

import (
	"bytes"
	"testing"

	"sage/rfb"
	"sage/rfb/rfbtest"
	"sage/viewer"
)

// policies gives all of them.
func policies() (all []viewer.Policy) {
	for c := viewer.ClipboardBoth; c <= viewer.ClipboardNone; c++ {
		all = append(all, viewer.Policy{Clipboard: c}, viewer.Policy{ViewOnly: true, Clipboard: c})
	}
	return all
}

// FuzzFromClient feeds a viewer with anything: how the bytes are cut makes no difference. What may reach the server is
// judged by FuzzServersReadWhatThePolicyAllows.
func FuzzFromClient(f *testing.F) {
	for i := range policies() {
		for _, r := range rfbtest.Recordings(f, "../rfb/testdata") {
			f.Add(r.Client, uint8(i), uint8(11))
		}
		f.Add(bytes.Join([][]byte{ask, key, announce(rfb.EncodingExtendedMouse), zeros(7, 5, 0x80), cutText(6, "x")}, nil), uint8(i), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, policy, cut uint8) {
		p := policies()[int(policy)%len(policies())]
		feed := func(size int) ([]byte, error) {
			d := &desktop{}
			v := viewer.NewDesk(viewer.Options{}).Join(p, nil, d)
			defer v.Leave()
			for b := data; len(b) > 0; b = b[min(size, len(b)):] {
				if err := v.FromClient(b[:min(size, len(b))]); err != nil {
					return d.got(), err
				}
			}
			return d.got(), nil
		}
		whole, err1 := feed(max(1, len(data)))
		pieces, err2 := feed(max(1, int(cut)))
		if (err1 == nil) != (err2 == nil) || err1 == nil && !bytes.Equal(whole, pieces) {
			t.Fatalf("whole: %x, %v; in pieces: %x, %v", whole, err1, pieces, err2)
		}
	})
}

// FuzzToClient feeds a viewer whose server's clipboard is held back with anything that a server may say: how the bytes
// are cut makes no difference. What may reach the client is judged by FuzzNoTextOfTheDesktopGetsOut.
func FuzzToClient(f *testing.F) {
	for _, r := range rfbtest.Recordings(f, "../rfb/testdata") {
		f.Add(r.Server[:2<<10], uint8(255))
	}
	f.Add(bytes.Join([][]byte{update(), cutText(3, "text"), update(), extended(3, provide, "zzz"), {2}}, nil), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		feed := func(size int) (out []byte, err error) {
			v := followed(t, viewer.Policy{Clipboard: viewer.ClipboardIn})
			for b := bytes.Clone(data); len(b) > 0; b = b[min(size, len(b)):] {
				shown, err := v.ToClient(b[:min(size, len(b))])
				if err != nil {
					return nil, err
				}
				out = append(out, shown...)
			}
			return out, nil
		}
		whole, err1 := feed(max(1, len(data)))
		pieces, err2 := feed(max(1, int(cut)))
		if (err1 == nil) != (err2 == nil) || !bytes.Equal(whole, pieces) {
			t.Fatalf("whole: %x, %v; in pieces: %x, %v", whole, err1, pieces, err2)
		}
	})
}
