package viewer

import (
	"encoding/binary"
	"fmt"

	"sage/rfb"
)

// ToClient gives what of the server's bytes b goes to the client: all of them, unless [Viewer.FiltersServer]. The result
// shares memory with b, which may be changed.
//
// Errors: a wrapped [*rfb.ServerMessageError], where the server sent what it was never asked for.
func (v *Viewer) ToClient(b []byte) ([]byte, error) {
	if v.walker == nil {
		return b, nil
	}
	out := b[:0]
	moved := false // Out is not a part of b any more.
	for rest := b; ; {
		m, next, err := v.walker.Next(rest)
		if err != nil {
			return nil, fmt.Errorf("viewer: the desktop's clipboard cannot be held back: %w", err)
		}
		if m.Bytes == nil {
			return out, nil
		}
		at := len(b) - len(next) - len(m.Bytes)
		rest = next
		if m.First {
			v.hiding = m.Type == rfb.MsgServerCutText && !v.shows(m.Bytes)
			if m.Type == rfb.MsgServerCutText {
				clear(m.Bytes[1:4]) // Padding.
			}
		}
		switch {
		case v.hiding:
		case !m.Held && !moved && at == len(out):
			out = b[:at+len(m.Bytes)] // Nothing was taken out so far.
		case m.Held && !moved:
			// It began in what came before, so there may be no room for it in b.
			out = append(append(make([]byte, 0, len(out)+len(m.Bytes)+len(next)), out...), m.Bytes...)
			moved = true
		default:
			out = append(out, m.Bytes...)
		}
	}
}

// shows reports whether a clipboard message of the server, which begins with b, may be seen though its texts must not:
// the talk that leads to a text of the viewer's. Nothing may stand in it but what its flags say.
func (v *Viewer) shows(b []byte) bool {
	if len(b) < 12 || !v.policy.textIn() {
		return false
	}
	flags, length := binary.BigEndian.Uint32(b[8:]), -int64(int32(binary.BigEndian.Uint32(b[4:])))
	return clipLengthFits(flags, length) && (flags&clipCaps != 0 || flags&(clipRequest|clipPeek) != 0)
}
