package rfbtest

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// Witness is an X client that sees what people do on a desktop: its window lies over the whole screen and has the
// keyboard's focus.
type Witness struct {
	x     *xClient
	cover uint32
}

// Witness starts one, until the test ends.
func (s *Server) Witness(t testing.TB) *Witness {
	t.Helper()
	x := s.connect(t)
	w := &Witness{x: x, cover: x.window + 2}
	const overrideRedirect, eventMask = 1 << 9, 1 << 11
	const keysButtonsMotion = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<6
	// CreateWindow, MapWindow, SetInputFocus.
	x.request(1, 0, w.cover, x.root, uint32(0), uint32(8192|8192<<16), uint32(0), uint32(0),
		uint32(overrideRedirect|eventMask), uint32(1), uint32(keysButtonsMotion))
	x.request(8, 0, w.cover)
	x.request(42, 0, w.cover, uint32(0))
	x.sync()
	x.events = nil
	return w
}

// Seen returns what has happened since the last call: keys by the number of the key, buttons, and where the pointer went.
func (w *Witness) Seen(t testing.TB) (all []string) {
	t.Helper()
	w.x.sync()
	le := binary.LittleEndian
	for _, e := range w.x.events {
		switch kind := e[0] & 0x7f; kind {
		case 2, 3:
			all = append(all, fmt.Sprintf("key %d, pressed %v", e[1], kind == 2))
		case 4, 5:
			all = append(all, fmt.Sprintf("button %d, pressed %v", e[1], kind == 4))
		case 6:
			all = append(all, fmt.Sprintf("pointer at %d,%d", le.Uint16(e[20:]), le.Uint16(e[22:])))
		}
	}
	w.x.events = nil
	return all
}

// Size returns the width and the height of the screen, in pixels.
func (w *Witness) Size() (width, height int) {
	w.x.request(14, 0, w.x.root) // GetGeometry.
	b := w.x.reply()
	return int(binary.LittleEndian.Uint16(b[16:])), int(binary.LittleEndian.Uint16(b[18:]))
}
