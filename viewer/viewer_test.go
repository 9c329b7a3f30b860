package viewer_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sage/rfb"
	"sage/viewer"
)

func TestWhatReachesTheDesktop(t *testing.T) {
	const sizes = "\x00\x00\x00\x00"
	format := zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0)
	messages := map[string][]byte{
		"format":     format,
		"request":    ask,
		"continuous": zeros(10, 150),
		"fence":      zeros(9, 248),
		"key":        key,
		"pointer":    pointer,
		"qemu key":   zeros(12, 255),
		"qemu audio": {255, 1, 0, 0},
		"gii":        zeros(8, 253, 0x80, 0, 4),
		"xvp":        {250, 0, 1, 2},
		"text":       cutText(6, "a text"),
		"caps":       extended(6, caps, sizes),
		"caps, more": extended(6, caps, sizes+"and a text"),
		"ask text":   extended(6, request, ""),
		"peek":       extended(6, peek, ""),
		"notify":     extended(6, notify, ""),
		"provide":    extended(6, provide, "a text, deflated"),
		"no action":  extended(6, 1, ""),
	}
	looks := []string{"format", "request", "continuous", "fence"}
	acts := []string{"key", "pointer", "qemu key", "gii", "xvp"}
	in, out := []string{"text", "notify", "provide", "caps"}, []string{"ask text", "peek", "caps"}
	for _, tt := range []struct {
		policy viewer.Policy
		passes [][]string
	}{
		{viewer.Policy{}, [][]string{looks, acts, in, out, {"qemu audio"}}},
		{viewer.Policy{Clipboard: viewer.ClipboardIn}, [][]string{looks, acts, in}},
		{viewer.Policy{Clipboard: viewer.ClipboardOut}, [][]string{looks, acts, out, {"qemu audio"}}},
		{viewer.Policy{Clipboard: viewer.ClipboardNone}, [][]string{looks, acts}},
		{viewer.Policy{ViewOnly: true}, [][]string{looks, out}},
		{viewer.Policy{ViewOnly: true, Clipboard: viewer.ClipboardIn}, [][]string{looks}},
		{viewer.Policy{ViewOnly: true, Clipboard: viewer.ClipboardOut}, [][]string{looks, out}},
		{viewer.Policy{ViewOnly: true, Clipboard: viewer.ClipboardNone}, [][]string{looks}},
	} {
		passes := map[string]bool{}
		for _, names := range tt.passes {
			for _, name := range names {
				passes[name] = true
			}
		}
		for name, message := range messages {
			for _, cut := range []int{0, 1, len(message) - 1} {
				v, d := join(t, viewer.NewDesk(viewer.Options{}), tt.policy)
				fromClient(t, v, format)
				d.got()
				fromClient(t, v, ask, message[:cut])
				fromClient(t, v, message[cut:], ask)
				want := bytes.Join([][]byte{ask, ask}, nil)
				if passes[name] {
					want = bytes.Join([][]byte{ask, message, ask}, nil)
				}
				if got := d.got(); !bytes.Equal(got, want) {
					t.Errorf("%+v, %s cut at %d: got %x, want %x", tt.policy, name, cut, got, want)
				}
			}
		}
	}
}

func TestEncodingsOfARestrictedViewer(t *testing.T) {
	const unknown rfb.Encoding = 4711
	list := announce(rfb.EncodingTight, unknown, rfb.EncodingExtendedMouse, rfb.EncodingExtendedClipboard, rfb.EncodingFence)
	for _, tt := range []struct {
		policy viewer.Policy
		want   []byte
	}{
		{viewer.Policy{}, list},
		{viewer.Policy{Clipboard: viewer.ClipboardOut}, announce(rfb.EncodingTight, unknown, rfb.EncodingExtendedClipboard, rfb.EncodingFence)},
		{viewer.Policy{Clipboard: viewer.ClipboardIn}, announce(rfb.EncodingTight, rfb.EncodingExtendedClipboard, rfb.EncodingFence)},
		{viewer.Policy{Clipboard: viewer.ClipboardNone}, announce(rfb.EncodingTight, rfb.EncodingFence)},
		{viewer.Policy{ViewOnly: true}, announce(rfb.EncodingTight, unknown, rfb.EncodingExtendedClipboard, rfb.EncodingFence)},
		{viewer.Policy{ViewOnly: true, Clipboard: viewer.ClipboardIn}, announce(rfb.EncodingTight, rfb.EncodingFence)},
	} {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), tt.policy)
		fromClient(t, v, ask, list, ask)
		if got, want := d.got(), bytes.Join([][]byte{ask, tt.want, ask}, nil); !bytes.Equal(got, want) {
			t.Errorf("%+v: got %x, want %x", tt.policy, got, want)
		}
	}
}

func TestAllowedMessagesGoOutTogether(t *testing.T) {
	v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{})
	fromClient(t, v, pointer, key, ask, pointer)
	if len(d.writes) != 1 {
		t.Errorf("%d writes, want 1", len(d.writes))
	}
}

func TestUnknownMessage(t *testing.T) {
	strange := []byte{252, 1, 2, 3}
	v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{})
	fromClient(t, v, key, strange)
	fromClient(t, v, strange, zeros(3, 99))
	if got, want := d.got(), bytes.Join([][]byte{key, strange, strange, zeros(3, 99)}, nil); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	for _, p := range []viewer.Policy{{ViewOnly: true}, {Clipboard: viewer.ClipboardOut}, {Clipboard: viewer.ClipboardIn}} {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), p)
		err := v.FromClient(bytes.Join([][]byte{ask, strange}, nil))
		var unknown *rfb.UnknownMessageError
		if !errors.As(err, &unknown) || unknown.Type != 252 {
			t.Errorf("%+v: error %v", p, err)
		}
		if err := v.FromClient(ask); !errors.As(err, &unknown) {
			t.Errorf("%+v: it goes on with %v", p, err)
		}
		if got := d.got(); !bytes.Equal(got, ask) {
			t.Errorf("%+v: got %x", p, got)
		}
	}
}

func TestPixelFormatIsFixedWhereTheServerIsFollowed(t *testing.T) {
	deep := zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0)
	swapped := zeros(20, 0, 0, 0, 0, 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16)
	shallow := zeros(20, 0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6)
	v, _ := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardIn})
	fromClient(t, v, shallow, deep, ask, swapped)
	var format *rfb.FormatError
	if err := v.FromClient(shallow); !errors.As(err, &format) || !format.Late {
		t.Errorf("error %v", err)
	}
}

func TestLastInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := viewer.NewDesk(viewer.Options{})
		control, _ := join(t, desk, viewer.Policy{Clipboard: viewer.ClipboardOut})
		looker, _ := join(t, desk, viewer.Policy{ViewOnly: true})
		fromClient(t, control, ask, zeros(9, 248), cutText(6, "dropped"), size(3, 4))
		fromClient(t, looker, key, pointer, ask)
		if got := desk.LastInput(); !got.IsZero() {
			t.Errorf("input at %v, but there was none", got)
		}
		for _, input := range [][]byte{key, pointer, zeros(12, 255)} {
			time.Sleep(time.Minute)
			fromClient(t, control, ask, input, ask)
			if got := desk.LastInput(); !got.Equal(time.Now()) {
				t.Errorf("%x: last input at %v, now is %v", input, got, time.Now())
			}
		}
		both, _ := join(t, desk, viewer.Policy{})
		time.Sleep(time.Minute)
		fromClient(t, both, cutText(6, "passed"))
		if got := desk.LastInput(); !got.Equal(time.Now()) {
			t.Errorf("last input at %v, now is %v", got, time.Now())
		}
	})
}

func TestServerFails(t *testing.T) {
	v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{})
	d.fail = errors.New("gone")
	if err := v.FromClient(key); !errors.Is(err, d.fail) {
		t.Errorf("error %v", err)
	}
}

func TestClipboardWords(t *testing.T) {
	for _, word := range []string{"both", "in", "out", "none"} {
		if c, err := viewer.ParseClipboard(word); err != nil || c.String() != word {
			t.Errorf("%s: %v, %v", word, c, err)
		}
	}
	if c, err := viewer.ParseClipboard("all"); err == nil || c != viewer.ClipboardNone {
		t.Errorf("all: %v, %v", c, err)
	}
}
