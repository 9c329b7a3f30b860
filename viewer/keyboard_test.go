package viewer_test

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"sage/rfb"
	"sage/rfb/rfbtest"
	"sage/viewer"
)

// stroke is a key that a browser reports: what it means, and where it lies, as the number that QEMU's key events have.
type stroke struct {
	keysym, place uint32
	down          bool
}

// What is held while another key is pressed.
const (
	shift, shiftPlace = 0xffe1, 0x2a
	altGr, altGrPlace = 0xfe03, 0xb8
)

// tap presses and releases a key.
func tap(keysym, place uint32) []stroke {
	return []stroke{{keysym, place, true}, {keysym, place, false}}
}

// with holds a modifier meanwhile.
func with(modifier, modifierPlace, keysym, place uint32) []stroke {
	return slices.Concat([]stroke{{modifier, modifierPlace, true}}, tap(keysym, place), []stroke{{modifier, modifierPlace, false}})
}

// TestRealKeyboards types as people do who have other keyboards than the desktop, which has a US one, in the two ways in
// which clients send keys. What X clients get must be what the keys mean, wherever they lie.
func TestRealKeyboards(t *testing.T) {
	layouts := map[string][][]stroke{
		"German": {
			tap('z', 0x15), tap('y', 0x2c), tap(0xfc, 0x1a), tap(0xdf, 0x0c), with(shift, shiftPlace, 'Z', 0x15), with(shift, shiftPlace, 0xc4, 0x28),
			with(altGr, altGrPlace, '@', 0x10), with(altGr, altGrPlace, 0x20ac, 0x12), with(altGr, altGrPlace, '{', 0x08), with(shift, shiftPlace, '/', 0x08),
			tap('#', 0x2b), tap('<', 0x56), tap(0xfe51, 0x0d),
		},
		"French": {
			tap('a', 0x10), tap('q', 0x1e), tap('m', 0x27), tap(0xe9, 0x03), tap(0xe7, 0x0a), tap('&', 0x02), with(shift, shiftPlace, '1', 0x02),
			with(altGr, altGrPlace, '~', 0x03), with(altGr, altGrPlace, '\\', 0x09), tap('!', 0x35), with(shift, shiftPlace, '.', 0x33), tap(0xfe52, 0x1a),
		},
		"Swiss": {
			tap('z', 0x15), tap(0xe8, 0x1a), tap(0xe9, 0x27), tap(0xe0, 0x28), tap('$', 0x2b), with(shift, shiftPlace, 0xfc, 0x1a), with(altGr, altGrPlace, '#', 0x04),
			with(altGr, altGrPlace, '|', 0x08), tap(0xfe57, 0x1b), tap('\'', 0x0c),
		},
		"Dvorak": {tap('\'', 0x10), tap('o', 0x1f), tap('e', 0x20), tap('s', 0x27), with(shift, shiftPlace, 'P', 0x13), tap('/', 0x1a), tap('-', 0x28)},
		"US": {
			tap('a', 0x1e), with(shift, shiftPlace, 'A', 0x1e), with(shift, shiftPlace, '|', 0x2b), tap(0xff0d, 0x1c), tap(0xff1b, 0x01),
			tap(0xffbe, 0x3b), tap(0xff51, 0xcb), tap(0xffff, 0xd3), tap(0xff09, 0x0f), with(0xffe3, 0x1d, 'c', 0x2e),
		},
	}
	for name, begin := range map[string]func(testing.TB) *rfbtest.Server{
		"TigerVNC": func(t testing.TB) *rfbtest.Server { return rfbtest.Start(t, "") },
		"TurboVNC": func(t testing.TB) *rfbtest.Server { return rfbtest.StartTurboVNC(t, "-noserverkeymap") },
	} {
		t.Run(name, func(t *testing.T) {
			server := begin(t)
			typed := typist(t, server)
			for layout, groups := range layouts {
				for _, places := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, with places %v", layout, places), func(t *testing.T) {
						conn, _ := through(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{Clipboard: viewer.ClipboardOut}, server)
						w := watch(t, conn, rfb.EncodingQEMUKeyEvent, rfb.EncodingQEMULEDState)
						w.barrier()
						// A key that the keyboard lacks is added when it is first typed, and X clients hear of it a little late.
						for _, judged := range []bool{false, true} {
							for _, g := range groups {
								var want uint32
								for _, s := range g {
									w.send(s.message(places))
									if s.down {
										want = s.keysym
									}
								}
								if got := typed(); judged && got != want {
									t.Errorf("got %#x, want %#x", got, want)
								}
							}
						}
					})
				}
			}
		})
	}
}

// message is a stroke as a client sends it, with its place (QEMU Extended Key Event, rfbproto) or without.
func (s stroke) message(place bool) []byte {
	down := byte(0)
	if s.down {
		down = 1
	}
	if !place {
		return binary.BigEndian.AppendUint32([]byte{4, down, 0, 0}, s.keysym)
	}
	b := binary.BigEndian.AppendUint32([]byte{255, 0, 0, down}, s.keysym)
	return binary.BigEndian.AppendUint32(b, s.place)
}

// typist starts an X client, and gives what tells the next key that it gets, beside modifiers.
func typist(t *testing.T, server *rfbtest.Server) func() uint32 {
	t.Helper()
	t.Setenv("XCOMPOSEFILE", "/dev/null") // Dead keys stay alone.
	lines := server.Run(t, rfbtest.Need(t, "xev", "x11-utils"), "-geometry", "640x480+0+0")
	press, symbol := regexp.MustCompile(`^KeyPress`), regexp.MustCompile(`keysym 0x([0-9a-f]+),`)
	next := func(r *regexp.Regexp) []string {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if found := r.FindStringSubmatch(line); found != nil {
				return found
			}
		}
	}
	next(regexp.MustCompile(`^Expose`))
	// Without a window manager the keyboard follows the pointer.
	conn := watch(t, server.Dial(t))
	conn.send([]byte{5, 0, 0, 100, 0, 100})
	conn.barrier()
	return func() uint32 {
		for {
			next(press)
			keysym, err := strconv.ParseUint(next(symbol)[1], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			if modifier := keysym >= 0xffe1 && keysym <= 0xffee || keysym == altGr || keysym == 0xff7e; !modifier {
				return uint32(keysym)
			}
		}
	}
}
