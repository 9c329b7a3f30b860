package viewer_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"sage/rfb/rfbtest"
	"sage/viewer"
)

// speaker makes up what an honest server says to a client of which it has read a part. It uses the encodings and the
// pixel format that the client has asked for so far, with the servers' own habits; pixels are anything, and often look
// like clipboard messages.
type speaker struct {
	*serverModel
	*rand.Rand
}

// secret is the desktop's clipboard.
const secret = "TOPSECRETWORD"

func (s speaker) u16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func (s speaker) u32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// anything is n bytes of a picture.
func (s speaker) anything(n int) []byte {
	b := make([]byte, 0, n+32)
	for len(b) < n {
		switch s.IntN(4) {
		case 0:
			b = append(b, cutText(3, "a picture")...)
		case 1:
			b = append(b, 0, 0, 0, 1, 0, 0)
		default:
			b = append(b, byte(s.Uint32()), byte(s.Uint32()))
		}
	}
	return b[:n]
}

func (s speaker) knows(e int32) bool { return slices.Contains(s.encodings, e) }

func (s speaker) rectangle(w, h int, e int32, body ...[]byte) []byte {
	b := slices.Concat(s.u16(s.IntN(900)), s.u16(s.IntN(900)), s.u16(w), s.u16(h), s.u32(int(e)))
	return append(b, slices.Concat(body...)...)
}

// compact is a length of Tight.
func (s speaker) compact(n int) []byte {
	switch {
	case n < 1<<7:
		return []byte{byte(n)}
	case n < 1<<14:
		return []byte{byte(n&0x7f | 0x80), byte(n >> 7)}
	default:
		return []byte{byte(n&0x7f | 0x80), byte(n>>7&0x7f | 0x80), byte(n >> 14)}
	}
}

// pixels gives rectangles in one encoding of pixels, and how many an update counts for them.
func (s speaker) pixels() (all []byte, counted int) {
	w, h := s.IntN(40), s.IntN(40)
	px := s.bits / 8
	choice := []int32{0}
	if s.turbo && !slices.ContainsFunc(s.encodings, func(e int32) bool { return e >= 0 && e <= 17 && e != 1 }) {
		choice = []int32{7} // What TurboVNC takes where nothing is named.
	}
	for _, e := range s.encodings {
		if slices.Contains([]int32{0, 1, 2, 4, 5, 6, 7, 16}, e) {
			choice = append(choice, e)
		}
	}
	switch e := choice[s.IntN(len(choice))]; e {
	case 1:
		return s.rectangle(w, h, 1, s.anything(4)), 1
	case 2, 4:
		n := s.IntN(5)
		return s.rectangle(w, h, e, s.u32(n), s.anything(px+n*(px+map[int32]int{2: 8, 4: 4}[e]))), 1
	case 5:
		var tiles []byte
		for y := 0; y < h; y += 16 {
			for x := 0; x < w; x += 16 {
				tw, th := min(16, w-x), min(16, h-y)
				mask := byte(s.IntN(32))
				tiles = append(tiles, mask)
				if mask&1 != 0 {
					tiles = append(tiles, s.anything(tw*th*px)...)
					continue
				}
				tiles = append(tiles, s.anything(px*int(mask>>1&1)+px*int(mask>>2&1))...)
				if mask&8 != 0 {
					n := s.IntN(4)
					tiles = append(tiles, byte(n))
					tiles = append(tiles, s.anything(n*(2+px*int(mask>>4&1)))...)
				}
			}
		}
		return s.rectangle(w, h, 5, tiles), 1
	case 6, 16:
		n := s.IntN(300)
		return s.rectangle(w, h, e, s.u32(n), s.anything(n)), 1
	case 7:
		// The threads of TurboVNC divide a rectangle further than its count says.
		parts := 1 + s.IntN(3)
		for range parts {
			all = append(all, s.tight(w, h)...)
		}
		if s.knows(-224) {
			return all, 0xffff
		}
		if !s.turbo {
			return all, parts
		}
		return all, 1
	default:
		return s.rectangle(w, h, 0, s.anything(w*h*px)), 1
	}
}

func (s speaker) tight(w, h int) []byte {
	px := s.tightBytes
	data := func(n int) []byte {
		if n < 12 {
			return s.anything(n)
		}
		n = s.IntN(20000)
		return append(s.compact(n), s.anything(n)...)
	}
	switch s.IntN(5) {
	case 0:
		return s.rectangle(w, h, 7, []byte{0x80}, s.anything(px))
	case 1:
		n := s.IntN(400)
		return s.rectangle(w, h, 7, []byte{0x90}, s.compact(n), s.anything(n))
	case 2:
		colours := 2 + s.IntN(200)
		n := w * h
		if colours == 2 {
			n = (w + 7) / 8 * h
		}
		return s.rectangle(w, h, 7, []byte{0x40, 1, byte(colours - 1)}, s.anything(colours*px), data(n))
	case 3:
		return s.rectangle(w, h, 7, []byte{0x60, 2}, data(w*h*px))
	default:
		return s.rectangle(w, h, 7, []byte{byte(s.IntN(4)) << 4}, data(w*h*px))
	}
}

// pointer gives a picture of the pointer, which TurboVNC sends without being asked.
func (s speaker) pointer() []byte {
	w, h := s.IntN(20), s.IntN(20)
	mask := (w + 7) / 8 * h
	switch {
	case s.knows(-239):
		return s.rectangle(w, h, -239, s.anything(w*h*s.bits/8+mask))
	case s.knows(-240) && w*h > 0:
		return s.rectangle(w, h, -240, s.anything(6+2*mask))
	case s.knows(-240):
		return s.rectangle(0, 0, -240)
	}
	return nil
}

// says gives the next message, and what of it the client may see when texts are held back.
func (s speaker) says() (message []byte, shown bool) {
	switch s.IntN(8) {
	case 0:
		return cutText(3, "the "+secret), false
	case 1:
		if s.clipboard {
			return extended(3, provide, secret), false
		}
	case 2:
		if s.clipboard {
			return extended(3, notify, ""), false
		}
	case 3:
		return []byte{2}, true
	case 4:
		if s.fence {
			n := s.IntN(65)
			return slices.Concat([]byte{248, 0, 0, 0, 0x80, 0, 0, 1, byte(n)}, s.anything(n)), true
		}
	}
	var all []byte
	counted := 0
	if p := s.pointer(); p != nil && s.IntN(2) == 0 {
		all, counted = p, 1
	}
	if s.read > 1 { // An update was asked for.
		pixels, n := s.pixels()
		all = append(all, pixels...)
		if counted += n; n == 0xffff {
			counted = n
			all = append(all, s.rectangle(0, 0, -224)...)
		}
	}
	if s.knows(-308) && s.IntN(4) == 0 {
		n := s.IntN(3)
		return slices.Concat([]byte{0, 0, 0, 1}, s.rectangle(9, 9, -308, []byte{byte(n), 0, 0, 0}, s.anything(16*n))), true
	}
	return slices.Concat([]byte{0, byte(s.Uint32())}, s.u16(counted), all), true
}

// TestNoTextOfTheDesktopGetsOut lets a hostile client and an honest server talk, each of them late by any number of
// messages, and looks for the desktop's clipboard in what the client gets. Everything else must come as it was said.
func TestNoTextOfTheDesktopGetsOut(t *testing.T) {
	streams := 3000
	if n, err := strconv.Atoi(os.Getenv("SAGE_HOSTILE")); err == nil {
		streams = n
	}
	for i := range streams {
		r := rand.New(rand.NewPCG(6, uint64(i)))
		synctest.Test(t, func(t *testing.T) { talk(t, r, i%2 == 0, hostile{r}.stream()) })
		if t.Failed() {
			t.Fatalf("stream %d", i)
		}
	}
}

// FuzzNoTextOfTheDesktopGetsOut is the same for clients that the fuzzer makes up.
func FuzzNoTextOfTheDesktopGetsOut(f *testing.F) {
	for _, b := range smuggled() {
		f.Add(b, uint64(1))
	}
	for n := range uint64(20) {
		f.Add(bytes.Join(hostile{rand.New(rand.NewPCG(7, n))}.stream(), nil), n)
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		r := rand.New(rand.NewPCG(8, seed))
		synctest.Test(t, func(t *testing.T) { talk(t, r, seed%2 == 0, cut(data, 1+r.IntN(40))) })
	})
}

func talk(t *testing.T, r *rand.Rand, turbo bool, pieces [][]byte) {
	d := &desktop{}
	p := []viewer.Policy{{Clipboard: viewer.ClipboardIn}, {Clipboard: viewer.ClipboardNone}, {ViewOnly: true, Clipboard: viewer.ClipboardNone}}[r.IntN(3)]
	v := viewer.NewDesk(viewer.Options{}).Join(p, nil, d)
	defer v.Leave()
	s := speaker{newServerModel(turbo, r), r}
	s.short = func() bool { return false }
	var want, got []byte
	start(t, v)
	for _, piece := range pieces {
		failed := v.FromClient(bytes.Clone(piece)) != nil
		s.in = append(s.in, d.got()...)
		for range r.IntN(6) {
			if r.IntN(2) == 0 {
				s.next()
				continue
			}
			message, shown := s.says()
			if shown {
				want = append(want, message...)
			}
			for b := message; len(b) > 0; {
				n := 1 + r.IntN(len(b))
				seen, err := v.ToClient(bytes.Clone(b[:n]))
				if err != nil {
					t.Fatalf("%v: %v, in %x", s, err, message)
				}
				got = append(got, seen...)
				b = b[n:]
			}
		}
		if failed {
			break
		}
	}
	if bytes.Contains(got, []byte(secret)) || !bytes.Equal(got, want) {
		t.Errorf("%+v, %v, a client that sends %x:\n got %x\nwant %x", p, s, pieces, got, want)
	}
}

// TestRecordedClientsAreUnderstood feeds restricted viewers with what TigerVNC's viewer and noVNC said: the connection goes
// on, and both servers read it to the end, with every key and pointer event of a viewer that may act.
func TestRecordedClientsAreUnderstood(t *testing.T) {
	for _, recording := range rfbtest.Recordings(t, "../rfb/testdata") {
		read := func(s *serverModel, b []byte) map[act]int {
			count := map[act]int{}
			s.short = func() bool { return false }
			s.in = append(s.in, b...)
			for what := s.next(); what != actUnstarted; what = s.next() {
				count[what]++
			}
			if len(s.in) > 0 || s.closed != "" {
				t.Errorf("%s: %v stops: %s, %d bytes left", recording.Name, s, s.closed, len(s.in))
			}
			return count
		}
		sent := read(newServerModel(false, nil), recording.Client)
		for _, p := range restricted() {
			v, d := join(t, viewer.NewDesk(viewer.Options{}), p)
			start(t, v)
			fromClient(t, v, cut(recording.Client, 1000)...)
			got := d.got()
			for _, turbo := range []bool{false, true} {
				count := read(newServerModel(turbo, nil), got)
				for _, what := range []act{actKey, actPointer} {
					if want := sent[what]; !p.ViewOnly && count[what] != want || p.ViewOnly && count[what] > 0 {
						t.Errorf("%s, %+v: %d of %q came, %d were sent", recording.Name, p, count[what], what, want)
					}
				}
			}
		}
	}
}
