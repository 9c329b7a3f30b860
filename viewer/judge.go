package viewer

import (
	"encoding/binary"
	"math/bits"

	"sage/rfb"
)

// effect is what a message of a client counts as.
type effect bool

// acts is the effect of a person's input.
const acts effect = true

// judge gives what goes to the server in the place of a message, by its first piece: the piece itself, something else,
// or nothing.
func (v *Viewer) judge(m rfb.ClientMessage) (instead []byte, did effect, err error) {
	switch m.Type {
	case rfb.MsgClientFence:
		return m.Bytes, false, nil
	case rfb.MsgFramebufferUpdateRequest, rfb.MsgEnableContinuousUpdates:
		if v.walker != nil {
			v.walker.UpdateRequested()
		}
		return m.Bytes, false, nil
	case rfb.MsgSetPixelFormat:
		return m.Bytes, false, v.setPixelFormat(m)
	case rfb.MsgSetEncodings:
		return v.setEncodings(m), false, nil
	case rfb.MsgClientCutText:
		instead, did = v.cutText(m)
		return instead, did, nil
	}
	if v.policy.ViewOnly {
		return nil, false, nil
	}
	switch m.Type {
	case rfb.MsgSetDesktopSize:
		v.desk.ask(v, m.Bytes)
		return nil, false, nil
	case rfb.MsgQEMU:
		if audio := m.Bytes[1] == 1; audio {
			if v.walker != nil {
				return nil, false, nil // The server would answer with messages that are not walked over.
			}
			return m.Bytes, false, nil
		}
	}
	return m.Bytes, acts, nil
}

// setPixelFormat refuses formats with which the server's messages could not be walked over.
func (v *Viewer) setPixelFormat(m rfb.ClientMessage) error {
	if v.walker == nil {
		return nil
	}
	format, err := rfb.ParsePixelFormat(m.Bytes[4:])
	if err != nil {
		return err
	}
	return v.walker.SetPixelFormat(format)
}

// setEncodings gives the client's list without what must not reach the server.
func (v *Viewer) setEncodings(m rfb.ClientMessage) []byte {
	if v.policy.unrestricted() {
		return m.Bytes
	}
	list := append(make([]byte, 0, len(m.Bytes)), m.Bytes[:4]...)
	for e := range m.Encodings() {
		if v.announces(e) {
			list = binary.BigEndian.AppendUint32(list, uint32(e))
		}
	}
	binary.BigEndian.PutUint16(list[2:], uint16((len(list)-4)/4))
	return list
}

// announces reports whether a restricted client may announce e to the server.
func (v *Viewer) announces(e rfb.Encoding) bool {
	switch {
	case e == rfb.EncodingExtendedMouse:
		return false // See Join.
	case v.walker == nil:
		return true
	case e == rfb.EncodingExtendedClipboard:
		return v.policy.textIn() // Of use in one direction at least.
	default:
		return rfb.Walkable(e)
	}
}

// Flags of the extended clipboard (rfbproto, ClientCutText): the formats, of which 16 are defined, and the actions.
const (
	clipFormats = 0xffff
	clipCaps    = 1 << 24
	clipRequest = 1 << 25
	clipPeek    = 1 << 26
	clipNotify  = 1 << 27
	clipProvide = 1 << 28
)

// cutText decides on a clipboard message of the client: a text, or, where the clipboard is extended, a part of the
// conversation that leads to one.
func (v *Viewer) cutText(m rfb.ClientMessage) (instead []byte, did effect) {
	in, out := v.policy.textIn(), v.policy.textOut()
	length := int64(int32(binary.BigEndian.Uint32(m.Bytes[4:])))
	if length >= 0 {
		if in {
			return m.Bytes, acts
		}
		return nil, false
	}
	flags := binary.BigEndian.Uint32(m.Bytes[8:])
	allowed := false
	switch {
	case flags&clipCaps != 0:
		// Its other actions are what the client can do. Behind it stands a size for each format, and nothing else.
		allowed = (in || out) && -length == 4+4*int64(bits.OnesCount32(flags&clipFormats))
	case flags&(clipNotify|clipProvide) != 0:
		allowed = in
		did = effect(in)
	case flags&(clipRequest|clipPeek) != 0:
		allowed = out
	}
	if !allowed {
		return nil, false
	}
	return m.Bytes, did
}
