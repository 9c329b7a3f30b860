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

// FuzzFromClient feeds a viewer with anything, reads what reaches the server as a server does, and finds nothing there
// that the policy forbids. How the bytes are cut makes no difference.
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
		if p == (viewer.Policy{}) {
			return
		}
		var s rfb.ClientScanner
		for rest := pieces; ; {
			m, next, err := s.Next(rest)
			if err != nil {
				t.Fatalf("the server cannot read %x: %v", pieces, err)
			}
			if m.Bytes == nil {
				return
			}
			rest = next
			if m.First && !permitted(p, m) {
				t.Fatalf("%+v lets through %v: %x", p, m.Type, m.Bytes)
			}
		}
	})
}

// permitted says the same as the policy, in other words than the code does.
func permitted(p viewer.Policy, m rfb.ClientMessage) bool {
	in := !p.ViewOnly && (p.Clipboard == viewer.ClipboardBoth || p.Clipboard == viewer.ClipboardIn)
	switch m.Type {
	case rfb.MsgSetDesktopSize:
		return false // It only comes by way of the desk, in time.
	case rfb.MsgKeyEvent, rfb.MsgPointerEvent, rfb.MsgQEMU, rfb.MsgGII, rfb.MsgXVP:
		return !p.ViewOnly
	case rfb.MsgClientCutText:
		text := m.Bytes[4]&0x80 == 0 || m.Bytes[8]&1 == 0 && m.Bytes[8]&0x18 != 0
		return in || !text
	case rfb.MsgSetEncodings:
		for e := range m.Encodings() {
			if e == rfb.EncodingExtendedMouse {
				return false
			}
		}
	}
	return true
}

// FuzzToClient feeds a viewer whose server's clipboard is held back with anything that a server may say.
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
		s := new(rfb.ServerScanner)
		if err := s.SetPixelFormat(rfb.PixelFormat{BitsPerPixel: 32, Depth: 24, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255}); err != nil {
			t.Fatal(err)
		}
		for rest := whole; ; {
			m, next, err := s.Next(rest)
			if err != nil {
				t.Fatal(err)
			}
			if m.Bytes == nil {
				return
			}
			rest = next
			if m.First && m.Type == rfb.MsgServerCutText && (m.Bytes[4]&0x80 == 0 || m.Bytes[8]&1 == 0 && m.Bytes[8]&0x18 != 0) {
				t.Fatalf("a text of the desktop: %x", m.Bytes)
			}
		}
	})
}
