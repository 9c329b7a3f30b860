package viewer_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"sage/rfb"
	"sage/viewer"
)

// hostile makes up what a client may send that wants more than it may: messages of all kinds, some of them with others
// inside, or with lengths, counts and flags that are not true.
type hostile struct{ *rand.Rand }

func (h hostile) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(h.Uint32())
	}
	return b
}

// number is often one at a limit.
func (h hostile) number() uint32 {
	switch h.IntN(6) {
	case 0:
		return uint32(h.IntN(4))
	case 1:
		return 1 << h.IntN(32)
	case 2:
		return -uint32(1 + h.IntN(80))
	case 3:
		return h.Uint32()
	default:
		return uint32(h.IntN(64))
	}
}

// inner is what a client wants to smuggle in.
func (h hostile) inner() []byte {
	all := [][]byte{
		{4, 1, 0, 0, 0, 0, 0, 'a', 4, 0, 0, 0, 0, 0, 0, 'a'},
		{5, 1, 0, 77, 0, 50, 5, 0, 0, 77, 0, 50},
		cutText(6, "smuggled"),
		zeros(20, 0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6),
		size(333, 222),
		{255, 0, 0, 1, 0, 0, 0, 'b', 0, 0, 0, 48, 255, 0, 0, 0, 0, 0, 0, 'b', 0, 0, 0, 48},
		announce(rfb.EncodingExtendedMouse, rfb.EncodingExtendedClipboard),
		extended(6, provide, "x"),
		extended(6, request, ""),
		extended(6, notify, ""),
	}
	var b []byte
	for range 1 + h.IntN(3) {
		b = append(b, all[h.IntN(len(all))]...)
	}
	return b
}

// message is one of any kind.
func (h hostile) message() []byte {
	switch h.IntN(16) {
	case 0:
		b := zeros(20, 0, 0, 0, 0, []byte{8, 16, 32, 24}[h.IntN(4)], []byte{8, 16, 24, 32, 3}[h.IntN(5)], byte(h.IntN(2)), byte(h.IntN(3)))
		if h.IntN(2) == 0 {
			copy(b[8:], []byte{0, 255, 0, 255, 0, 255, 16, 8, 0})
		} else {
			copy(b[8:], []byte{0, 7, 0, 7, 0, 3, 0, 3, 6})
		}
		if h.IntN(3) == 0 {
			copy(b[1+h.IntN(19):], h.bytes(1+h.IntN(3)))
		}
		return b
	case 1, 2:
		list := []rfb.Encoding{
			rfb.EncodingRaw, rfb.EncodingTight, rfb.EncodingZRLE, rfb.EncodingHextile, rfb.EncodingLastRect, rfb.EncodingCursor, rfb.EncodingExtendedClipboard,
			rfb.EncodingExtendedMouse, rfb.EncodingFence, rfb.EncodingContinuousUpdates, rfb.EncodingGII, rfb.EncodingQEMUKeyEvent, rfb.EncodingXVP,
			rfb.EncodingExtendedDesktopSize, rfb.EncodingCopyRect, rfb.EncodingRRE, rfb.EncodingXCursor, 4711, rfb.EncodingQEMUAudio, rfb.EncodingQEMULEDState,
		}
		h.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		b := announce(list[:h.IntN(len(list))]...)
		b[1] = byte(h.Uint32())
		return b
	case 3:
		return append([]byte{3}, h.bytes(9)...)
	case 4:
		return append([]byte{4}, h.bytes(7)...)
	case 5:
		return append([]byte{5}, h.bytes(5)...)
	case 6:
		text := h.inner()
		return append([]byte{6, byte(h.Uint32()), 0, 1}, cutText(6, string(text))[4:]...)
	case 7, 8, 9, 10:
		flags := uint32(1<<(24+h.IntN(6)) | h.IntN(4))
		switch h.IntN(5) {
		case 0:
			flags |= h.number()
		case 1:
			flags |= 1 << (24 + h.IntN(6))
		}
		var data []byte
		switch h.IntN(4) {
		case 0:
			data = h.inner()
		case 1:
			data = append(h.bytes(4*h.IntN(4)), h.inner()...)
		case 2:
			data = h.bytes(4 * h.IntN(3))
		}
		b := extended(6, flags, string(data))
		if h.IntN(8) == 0 {
			binary.BigEndian.PutUint32(b[4:], h.number())
		}
		return b
	case 11:
		return append([]byte{150}, h.bytes(9)...)
	case 12:
		n := h.IntN(65)
		b := append([]byte{248}, h.bytes(7)...)
		return append(append(b, byte(n)), append(h.inner(), h.bytes(64)...)[:n]...)
	case 13:
		n := h.IntN(5)
		b := append([]byte{251, byte(h.Uint32())}, h.bytes(4)...)
		b = append(b, byte(n), byte(h.Uint32()))
		return append(b, append(h.inner(), h.bytes(64)...)[:16*n]...)
	case 14:
		data := h.inner()
		b := []byte{253, 0x80 | byte(h.IntN(6)), 0, byte(len(data))}
		return append(b, data...)
	default:
		if h.IntN(3) == 0 {
			return append([]byte{255, 1, 0, byte(h.IntN(3))}, h.bytes(6)...)[:4]
		}
		return append([]byte{255, 0}, h.bytes(10)...)
	}
}

// stream is what one client sends, and how it is cut.
func (h hostile) stream() (pieces [][]byte) {
	var all []byte
	if h.IntN(3) > 0 {
		all = append(all, announce(rfb.EncodingRaw, rfb.EncodingExtendedClipboard, rfb.EncodingFence, rfb.EncodingContinuousUpdates)...)
	}
	for range 1 + h.IntN(12) {
		m := h.message()
		if h.IntN(12) == 0 {
			m[h.IntN(len(m))] = byte(h.Uint32())
		}
		all = append(all, m...)
	}
	for len(all) > 0 {
		n := 1 + h.IntN(min(len(all), 1<<h.IntN(10)))
		pieces = append(pieces, all[:n])
		all = all[n:]
	}
	return pieces
}

// smuggled are streams that went through once, by what they did.
func smuggled() map[string][]byte {
	list := announce(rfb.EncodingRaw, rfb.EncodingExtendedClipboard)
	keys := []byte{4, 1, 0, 0, 0, 0, 0, 'a', 4, 0, 0, 0, 0, 0, 0, 'a'}
	return map[string][]byte{
		"keys behind a request":   bytes.Join([][]byte{list, extended(6, request, string(keys))}, nil),
		"a text behind a request": bytes.Join([][]byte{list, extended(6, request, string(cutText(6, "echo S > ~/pasted")))}, nil),
		"a text behind a peek":    bytes.Join([][]byte{list, extended(6, peek, string(cutText(6, "echo S > ~/pasted")))}, nil),
		"a format behind a notification": bytes.Join([][]byte{
			list, extended(6, notify, string(zeros(20, 0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6))),
			{3, 0, 0, 0, 0, 0, 0, 128, 0, 128},
		}, nil),
		// In a SetDesktopSize of three screens of which TigerVNC forgets the first byte there is a format of depth 3.
		"a size that is a format": append(sizeAndFormat(), bytes.Repeat(ask, 4)...),
		// Its length is 0x0600 and covers the text.
		"a text within a device message": append([]byte{253, 0x87}, cutText(6, string(make([]byte, 4+0x600-2-8)))...),
	}
}

// sizeAndFormat is a SetDesktopSize with three screens whose padding begins a SetPixelFormat: 32 bits, depth 3, true
// colour, with one bit of red. A text follows within it.
func sizeAndFormat() []byte {
	b := zeros(8+3*16, 251, 0, 1, 0, 1, 32, 3, 0, 1, 0, 1, 0)
	copy(b[16:], []byte{1, 0, 1, 32})
	copy(b[21:], cutText(6, string(make([]byte, 27))))
	return b
}

// judged feeds a restricted viewer with a client's stream and lets both servers read what comes out.
func judged(t testing.TB, r *rand.Rand, p viewer.Policy, pieces [][]byte) {
	t.Helper()
	d := &desktop{}
	v := viewer.NewDesk(viewer.Options{}).Join(p, nil, d)
	defer v.Leave()
	servers := []*serverModel{newServerModel(false, r), newServerModel(true, r)}
	check := func() {
		got := d.got()
		for _, s := range servers {
			s.in = append(s.in, got...)
			for what := s.next(); what != actUnstarted; what = s.next() {
				if forbids(p, what) {
					t.Errorf("%+v: %v finds %q in what comes of %x", p, s, what, pieces)
				}
			}
		}
	}
	start(t, v)
	for _, piece := range pieces {
		err := v.FromClient(bytes.Clone(piece))
		if r.IntN(4) == 0 {
			time.Sleep(time.Second) // Sizes go out.
			synctest.Wait()
		}
		check()
		if err != nil {
			return
		}
	}
	time.Sleep(3 * time.Second)
	synctest.Wait()
	check()
}

// start gives a walked server's format, as the handshake does.
func start(t testing.TB, v *viewer.Viewer) {
	t.Helper()
	if v.FiltersServer() {
		fromClient(t, v, zeros(20, 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0))
	}
}

// restricted gives all policies but the one that restricts nothing.
func restricted() []viewer.Policy { return policies()[1:] }

// TestServersReadWhatThePolicyAllows sends made-up streams, the same ones every time; SAGE_HOSTILE says how many.
func TestServersReadWhatThePolicyAllows(t *testing.T) {
	streams := 3000
	if n, err := strconv.Atoi(os.Getenv("SAGE_HOSTILE")); err == nil {
		streams = n
	}
	for _, p := range restricted() {
		for name, b := range smuggled() {
			for _, n := range []int{1, 7, len(b)} {
				synctest.Test(t, func(t *testing.T) {
					judged(t, rand.New(rand.NewPCG(1, 1)), p, cut(b, n))
				})
				if t.Failed() {
					t.Fatal(name)
				}
			}
		}
	}
	for i := range streams {
		r := rand.New(rand.NewPCG(2, uint64(i)))
		p := restricted()[i%len(restricted())]
		synctest.Test(t, func(t *testing.T) { judged(t, r, p, hostile{r}.stream()) })
		if t.Failed() {
			t.Fatalf("stream %d", i)
		}
	}
}

func cut(b []byte, size int) (pieces [][]byte) {
	for ; len(b) > 0; b = b[min(size, len(b)):] {
		pieces = append(pieces, b[:min(size, len(b))])
	}
	return pieces
}

// FuzzServersReadWhatThePolicyAllows is the same for streams that the fuzzer makes up.
func FuzzServersReadWhatThePolicyAllows(f *testing.F) {
	for i := range restricted() {
		for _, b := range smuggled() {
			f.Add(b, uint8(i), uint64(i))
		}
		for n := range uint64(20) {
			f.Add(bytes.Join(hostile{rand.New(rand.NewPCG(3, n))}.stream(), nil), uint8(i), n)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, policy uint8, seed uint64) {
		r := rand.New(rand.NewPCG(4, seed))
		p := restricted()[int(policy)%len(restricted())]
		synctest.Test(t, func(t *testing.T) { judged(t, r, p, cut(data, 1+r.IntN(40))) })
	})
}

// TestServerModelsReadAndStray tries the models themselves on what was sent through once, without Sage between.
func TestServerModelsReadAndStray(t *testing.T) {
	for name, want := range map[string]act{
		"keys behind a request": actKey, "a text behind a request": actText, "a text behind a peek": actText,
		"a format behind a notification": actReformat, "a size that is a format": actStray,
		"a text within a device message": actText,
	} {
		for _, turbo := range []bool{false, true} {
			s := newServerModel(turbo, rand.New(rand.NewPCG(5, 5)))
			s.short = func() bool { return true }
			s.in = smuggled()[name]
			found := false
			for what := s.next(); what != actUnstarted; what = s.next() {
				found = found || what == want
			}
			// TigerVNC does not know device messages.
			other := !turbo && name == "a text within a device message" || turbo && name == "a size that is a format"
			if found == other {
				t.Errorf("%v: %s: %q found: %v", s, name, want, found)
			}
		}
	}
}
