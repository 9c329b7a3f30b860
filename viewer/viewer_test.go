package viewer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
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

		"request, more":    extended(6, request, "\x04\x01\x00\x00\x00\x00\x00a"),
		"two actions":      extended(6, request|peek, ""),
		"notify, more":     extended(6, notify, string(format)),
		"unknown formats":  extended(6, request|1<<7, ""),
		"empty provide":    extended(6, provide, ""),
		"provides nothing": extended(6, provide&^1, "a text, deflated"),
	}
	looks := []string{"format", "request", "continuous", "fence"}
	acts := []string{"key", "pointer", "qemu key"}
	// What passes where nothing is held back: messages that one of the servers does not read, or not as they are.
	free := []string{"gii", "xvp", "qemu audio", "caps, more", "request, more", "no action"}
	in, out := []string{"text", "notify", "provide", "caps"}, []string{"ask text", "peek", "caps"}
	for _, tt := range []struct {
		policy viewer.Policy
		passes [][]string
	}{
		{viewer.Policy{}, [][]string{looks, acts, in, out, free, {
			"two actions", "notify, more", "unknown formats", "empty provide", "provides nothing",
		}}},
		{viewer.Policy{Clipboard: viewer.ClipboardIn}, [][]string{looks, acts, in}},
		{viewer.Policy{Clipboard: viewer.ClipboardOut}, [][]string{looks, acts, out}},
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
				fromClient(t, v, format, announce(rfb.EncodingExtendedClipboard))
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
	known := []rfb.Encoding{rfb.EncodingTight, rfb.EncodingLastRect, rfb.EncodingExtendedClipboard, rfb.EncodingFence}
	list := announce(append([]rfb.Encoding{unknown, rfb.EncodingExtendedMouse, rfb.EncodingGII, rfb.EncodingXVP, rfb.EncodingQEMUAudio}, known...)...)
	for _, tt := range []struct {
		policy viewer.Policy
		want   []byte
	}{
		{viewer.Policy{}, list},
		{viewer.Policy{Clipboard: viewer.ClipboardOut}, announce(known...)},
		{viewer.Policy{Clipboard: viewer.ClipboardIn}, announce(append(known, rfb.EncodingRaw)...)},
		{viewer.Policy{Clipboard: viewer.ClipboardNone}, announce(rfb.EncodingTight, rfb.EncodingLastRect, rfb.EncodingFence, rfb.EncodingRaw)},
		{viewer.Policy{ViewOnly: true}, announce(known...)},
		{viewer.Policy{ViewOnly: true, Clipboard: viewer.ClipboardIn}, announce(rfb.EncodingTight, rfb.EncodingLastRect, rfb.EncodingFence, rfb.EncodingRaw)},
	} {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), tt.policy)
		fromClient(t, v, list, ask)
		if got, want := d.got(), bytes.Join([][]byte{tt.want, ask}, nil); !bytes.Equal(got, want) {
			t.Errorf("%+v: got %x, want %x", tt.policy, got, want)
		}
	}
}

// TestEncodingsWhereTheServerIsFollowed asks for nothing whose messages cannot be walked over: TurboVNC takes Tight where
// a client names nothing that it knows, and counts its rectangles wrongly where the client does not know LastRect.
func TestEncodingsWhereTheServerIsFollowed(t *testing.T) {
	raw := announce(rfb.EncodingRaw)
	for name, tt := range map[string]struct{ sent, want [][]byte }{
		"no list":          {[][]byte{ask, ask}, [][]byte{raw, ask, ask}},
		"an empty list":    {[][]byte{announce(), ask}, [][]byte{raw, ask}},
		"an unknown one":   {[][]byte{announce(4711), ask}, [][]byte{raw, ask}},
		"without LastRect": {[][]byte{announce(rfb.EncodingTight, rfb.EncodingZRLE)}, [][]byte{announce(rfb.EncodingZRLE, rfb.EncodingRaw)}},
		"with LastRect": {
			[][]byte{announce(rfb.EncodingTight, rfb.EncodingLastRect)},
			[][]byte{announce(rfb.EncodingTight, rfb.EncodingLastRect, rfb.EncodingRaw)},
		},
		"a key first":             {[][]byte{key, announce(rfb.EncodingZRLE)}, [][]byte{raw, key, announce(rfb.EncodingZRLE, rfb.EncodingRaw)}},
		"a dropped message first": {[][]byte{cutText(6, "no"), ask}, [][]byte{raw, ask}},
	} {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardNone})
		fromClient(t, v, tt.sent...)
		if got, want := d.got(), bytes.Join(tt.want, nil); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", name, got, want)
		}
	}
}

// TestRestrictedMessagesAreWrittenAnew sends messages whose padding, flags and counts are anything.
func TestRestrictedMessagesAreWrittenAnew(t *testing.T) {
	long := announce(slices.Repeat([]rfb.Encoding{rfb.EncodingZRLE}, rfb.MaxEncodings)...)
	long[1] = 77
	plain := slices.Clone(long)
	plain[1] = 0
	for name, tt := range map[string]struct{ sent, want []byte }{
		"format": {
			[]byte{0, 1, 2, 3, 32, 24, 9, 8, 0, 255, 0, 255, 0, 255, 16, 8, 0, 4, 5, 6},
			[]byte{0, 0, 0, 0, 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0},
		},
		"encodings":                      {long, plain},
		"request":                        {[]byte{3, 7, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{3, 1, 1, 2, 3, 4, 5, 6, 7, 8}},
		"key":                            {[]byte{4, 7, 1, 2, 3, 4, 5, 6}, []byte{4, 1, 0, 0, 3, 4, 5, 6}},
		"pointer":                        {[]byte{5, 0x81, 1, 2, 3, 4}, []byte{5, 1, 1, 2, 3, 4}},
		"text":                           {[]byte{6, 1, 2, 3, 0, 0, 0, 1, 'x'}, []byte{6, 0, 0, 0, 0, 0, 0, 1, 'x'}},
		"continuous":                     {[]byte{150, 9, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{150, 1, 1, 2, 3, 4, 5, 6, 7, 8}},
		"fence":                          {[]byte{248, 1, 2, 3, 0xff, 0xff, 0xff, 0xff, 2, 8, 9}, []byte{248, 0, 0, 0, 0x80, 0, 0, 7, 2, 8, 9}},
		"qemu key":                       {[]byte{255, 0, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{255, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}},
		"qemu key, down in the low byte": {[]byte{255, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{255, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}},
	} {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardIn})
		fromClient(t, v, zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0), announce())
		d.got()
		fromClient(t, v, tt.sent)
		want := tt.want
		if name == "encodings" { // Raw is added.
			want = append(slices.Clone(want), 0, 0, 0, 0)
			binary.BigEndian.PutUint16(want[2:], rfb.MaxEncodings+1)
		}
		if got := d.got(); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", name, got, want)
		}
	}
}

// TestClipboardIsExtendedOnceTheServerKnows drops extended messages before the announcement: TurboVNC would read their
// length as one of nearly 4 GiB.
func TestClipboardIsExtendedOnceTheServerKnows(t *testing.T) {
	v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardOut})
	fromClient(t, v, extended(6, request, ""), announce(rfb.EncodingExtendedClipboard), extended(6, request, ""), announce(), extended(6, request, ""))
	want := bytes.Join([][]byte{announce(rfb.EncodingExtendedClipboard), extended(6, request, ""), announce(), extended(6, request, "")}, nil)
	if got := d.got(); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestLongTextsOfARestrictedViewer(t *testing.T) {
	const most = 16 << 20
	v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardIn})
	fromClient(t, v, announce(rfb.EncodingExtendedClipboard))
	d.got()
	text := make([]byte, most+1)
	for _, tt := range []struct {
		message []byte
		passes  bool
	}{
		{cutText(6, string(text[:most])), true},
		{cutText(6, string(text)), false},
		{extended(6, provide, string(text[:most-4])), true},
		{extended(6, provide, string(text[:most-3])), false},
	} {
		fromClient(t, v, tt.message, ask)
		want := ask
		if tt.passes {
			want = append(tt.message, ask...)
		}
		if got := d.got(); !bytes.Equal(got, want) {
			t.Errorf("a message of %d bytes: %d came, want %d", len(tt.message), len(got), len(want))
		}
	}
}

func TestPixelFormatsOfARestrictedViewer(t *testing.T) {
	for name, tt := range map[string]struct {
		format []byte
		good   bool
	}{
		"deep":                 {[]byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, true},
		"565":                  {[]byte{16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0}, true},
		"332":                  {[]byte{8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6}, true},
		"111":                  {[]byte{8, 3, 0, 1, 0, 1, 0, 1, 0, 1, 2, 1, 0}, true},
		"a colour map":         {[]byte{8, 8, 0, 0, 0, 7, 0, 7, 0, 3, 0, 3, 6}, false},
		"a deep colour map":    {[]byte{32, 24, 0, 0, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		"24 bits":              {[]byte{24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		"too deep":             {[]byte{16, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		"too shallow":          {[]byte{32, 23, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		"no mask":              {[]byte{32, 24, 0, 1, 0, 254, 0, 255, 0, 255, 16, 8, 0}, false},
		"no red":               {[]byte{32, 24, 0, 1, 0, 0, 0, 255, 0, 255, 16, 8, 0}, false},
		"more than a byte":     {[]byte{32, 32, 0, 1, 3, 255, 0, 255, 0, 255, 20, 8, 0}, false},
		"beyond the pixel":     {[]byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 25, 8, 0}, false},
		"far beyond":           {[]byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 255, 8, 0}, false},
		"colours that overlap": {[]byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 4}, false},
	} {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{ViewOnly: true})
		message := zeros(20, append([]byte{0, 0, 0, 0}, tt.format...)...)
		err := v.FromClient(message)
		var fe *rfb.FormatError
		if tt.good && (err != nil || !bytes.Equal(d.got(), message)) || !tt.good && (!errors.As(err, &fe) || len(d.got()) > 0) {
			t.Errorf("%s: error %v", name, err)
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
		fromClient(t, v, announce())
		d.got()
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
	// TurboVNC may send the pointer's picture as soon as it knows that the client reads one.
	for name, first := range map[string][]byte{"request": ask, "encodings": announce(rfb.EncodingCursor), "fence": zeros(9, 248), "size": size(3, 4)} {
		v, _ := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardIn})
		fromClient(t, v, shallow, deep, first, swapped)
		var format *rfb.FormatError
		if err := v.FromClient(shallow); !errors.As(err, &format) || !format.Late {
			t.Errorf("%s: error %v", name, err)
		}
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
