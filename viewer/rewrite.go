package viewer

import (
	"encoding/binary"
	"math/bits"

	"sage/rfb"
)

// maxText is the longest clipboard text, in bytes, that a restricted viewer may send. Both servers read longer ones in
// part only (Xtigervnc's MaxCutText and Xvnc's -maxclipboard are 1 MiB or less by default).
const maxText = 16 << 20

// forward sends what the server gets in the place of m, which is a message of the client or a piece of one, and reports
// whether the server gets a person's input with it. It needs wmu.
//
// The messages of a viewer without restrictions pass as they are, but for SetDesktopSize. Those of any other viewer are
// written anew, see rewrite.
func (v *Viewer) forward(m rfb.ClientMessage) (input bool, err error) {
	switch {
	case !m.First:
		if !v.passing {
			return false, nil
		}
		v.inside = !m.Last
		return false, v.pass(m.Bytes)
	case m.Type == rfb.MsgSetDesktopSize:
		v.passing = false
		if v.walker != nil {
			v.walker.FixFormat()
		}
		if !v.policy.ViewOnly {
			v.askForSize(m)
		}
		return false, nil
	case v.policy.unrestricted():
		v.passing, err = true, v.pass(m.Bytes)
	default:
		v.passing, err = v.rewrite(m)
	}
	if err != nil || !v.passing {
		return false, err
	}
	v.inside = !m.Last
	if m.Type == rfb.MsgSetEncodings && follows(m) {
		v.announced = true
	}
	return isInput(m), nil
}

// isInput reports whether m, a first piece, acts on the desktop: a key, the pointer, a device, or a clipboard text or
// its announcement.
func isInput(m rfb.ClientMessage) bool {
	switch m.Type {
	case rfb.MsgKeyEvent, rfb.MsgPointerEvent, rfb.MsgGII, rfb.MsgXVP:
		return true
	case rfb.MsgQEMU:
		return m.Bytes[1] == 0 // Else it is about sound.
	case rfb.MsgClientCutText:
		if int32(binary.BigEndian.Uint32(m.Bytes[4:])) >= 0 {
			return true
		}
		flags := binary.BigEndian.Uint32(m.Bytes[8:])
		return flags&clipCaps == 0 && flags&(clipNotify|clipProvide) != 0
	default:
		return false
	}
}

// rewrite writes m, the first piece of a restricted viewer's message, anew from its fields, and reports whether the
// server gets it. Where it is the first piece of several, the others follow as they are.
//
// No byte of the client's reaches the server but as the value of a field that stands where Xtigervnc and TurboVNC's Xvnc
// both look for that field: padding is zero, flags are 0 or 1, counts and lengths are those of what follows. A message
// that one of the two servers reads with another length, or refuses, is dropped: a server that begins the next message
// too early reads the client's content as messages that Sage has never seen. See TestServersReadWhatThePolicyAllows.
func (v *Viewer) rewrite(m rfb.ClientMessage) (passed bool, err error) {
	b := m.Bytes
	if err := v.beforeMessage(m.Type); err != nil {
		return false, err
	}
	switch m.Type {
	case rfb.MsgSetPixelFormat:
		return true, v.setPixelFormat(b)
	case rfb.MsgSetEncodings:
		return true, v.setEncodings(m)
	case rfb.MsgFramebufferUpdateRequest, rfb.MsgEnableContinuousUpdates:
		return true, v.put([]byte{b[0], flag(b[1]), b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9]})
	case rfb.MsgClientFence:
		return true, v.fence(b)
	case rfb.MsgClientCutText:
		return v.cutText(b)
	}
	if v.policy.ViewOnly {
		return false, nil
	}
	switch m.Type {
	case rfb.MsgKeyEvent:
		return true, v.put([]byte{b[0], flag(b[1]), 0, 0, b[4], b[5], b[6], b[7]})
	case rfb.MsgPointerEvent:
		// The top bit marks a longer message where ExtendedMouseButtons is spoken, which is not announced here.
		return true, v.put([]byte{b[0], b[1] &^ 0x80, b[2], b[3], b[4], b[5]})
	case rfb.MsgQEMU:
		if b[1] != 0 {
			return false, nil // Sound, which neither server knows: both end the connection.
		}
		return true, v.put([]byte{b[0], 0, 0, flag(b[2] | b[3]), b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11]})
	default:
		// Neither server knows xvp. TurboVNC reads gii by what the events say of themselves, not by the message's length;
		// Xtigervnc does not know it.
		return false, nil
	}
}

// beforeMessage prepares for a message of type t on a connection whose server is walked over.
//
// From the first message on that is no SetPixelFormat the server may send pixels (TurboVNC's Xvnc sends the pointer's
// picture without being asked for an update), so the format is fixed. And a client that never says what it reads gets
// Raw alone (RFC 6143 section 7.5.2): TurboVNC's Xvnc would take Tight, see announces.
func (v *Viewer) beforeMessage(t rfb.ClientMessageType) error {
	if v.walker == nil || t == rfb.MsgSetPixelFormat {
		return nil
	}
	v.walker.FixFormat()
	if v.listed || t == rfb.MsgSetEncodings {
		v.listed = true
		return nil
	}
	v.listed = true
	return v.put([]byte{byte(rfb.MsgSetEncodings), 0, 0, 1, 0, 0, 0, byte(rfb.EncodingRaw)})
}

// flag returns 1 where any bit of b is set, else 0.
func flag(b byte) byte {
	if b != 0 {
		return 1
	}
	return 0
}

// setPixelFormat writes SetPixelFormat (RFC 6143 section 7.5.1) anew. It refuses formats that servers do not understand
// alike, and those with which the server's messages could not be walked over.
func (v *Viewer) setPixelFormat(b []byte) error {
	format, err := rfb.ParsePixelFormat(b[4:])
	if err == nil {
		err = format.Check()
	}
	if err == nil && v.walker != nil {
		err = v.walker.SetPixelFormat(format)
	}
	if err != nil {
		return err
	}
	if err := v.reserve(20); err != nil {
		return err
	}
	v.out = format.Append(append(v.out, byte(rfb.MsgSetPixelFormat), 0, 0, 0))
	return nil
}

// setEncodings writes SetEncodings (RFC 6143 section 7.5.2) anew, without what must not reach the server.
func (v *Viewer) setEncodings(m rfb.ClientMessage) error {
	lastRect := false
	for e := range m.Encodings() {
		lastRect = lastRect || e == rfb.EncodingLastRect
	}
	n := 0
	for e := range m.Encodings() {
		if v.announces(e, lastRect) {
			n++
		}
	}
	if v.walker != nil {
		n++ // Raw, at the end: where nothing else is left, TurboVNC's Xvnc would take Tight.
	}
	if err := v.put([]byte{byte(rfb.MsgSetEncodings), 0, byte(n >> 8), byte(n)}); err != nil {
		return err
	}
	for e := range m.Encodings() {
		if !v.announces(e, lastRect) {
			continue
		}
		v.extended = v.extended || e == rfb.EncodingExtendedClipboard
		if err := v.putEncoding(e); err != nil {
			return err
		}
	}
	if v.walker != nil {
		return v.putEncoding(rfb.EncodingRaw)
	}
	return nil
}

func (v *Viewer) putEncoding(e rfb.Encoding) error {
	return v.put([]byte{byte(e >> 24), byte(e >> 16), byte(e >> 8), byte(e)})
}

// announces reports whether a restricted client may announce e to the server. The list is closed: an encoding that is
// not known here might change how the server reads messages, as ExtendedMouseButtons does, or what it sends.
func (v *Viewer) announces(e rfb.Encoding, lastRect bool) bool {
	switch e {
	case rfb.EncodingXVP:
		return false // Its messages are dropped.
	case rfb.EncodingExtendedClipboard:
		return v.policy.textIn() || v.policy.textOut()
	case rfb.EncodingTight, rfb.EncodingTightPNG:
		// To a client without LastRect, TurboVNC's Xvnc sends more rectangles of Tight than its update says.
		return v.walker == nil || lastRect
	default:
		return rfb.Walkable(e)
	}
}

// fenceFlags are those that rfbproto defines: BlockBefore, BlockAfter, SyncNext, Request.
const fenceFlags = 0x80000007

// fence writes ClientFence (rfbproto) anew. The scanner has bounded its payload, which is the client's or, in an answer,
// the server's own.
func (v *Viewer) fence(b []byte) error {
	flags := binary.BigEndian.Uint32(b[4:]) & fenceFlags
	head := []byte{b[0], 0, 0, 0, byte(flags >> 24), 0, 0, byte(flags), b[8]}
	if err := v.put(head); err != nil {
		return err
	}
	return v.put(b[9:])
}

// Flags of the extended clipboard (rfbproto, ClientCutText): the formats that are defined, and the actions.
const (
	clipFormats = 0x1f
	clipCaps    = 1 << 24
	clipRequest = 1 << 25
	clipPeek    = 1 << 26
	clipNotify  = 1 << 27
	clipProvide = 1 << 28
	clipActions = clipCaps | clipRequest | clipPeek | clipNotify | clipProvide
)

// clipLengthFits reports whether a message of the extended clipboard, of so many bytes from its flags on, is as long as
// its flags say. Both servers read a message of capabilities by its formats, and nothing behind the flags of a request,
// a peek and a notification, whatever the length says.
func clipLengthFits(flags uint32, length int64) bool {
	switch {
	case flags&^(clipFormats|clipActions) != 0:
		return false
	case flags&clipCaps != 0:
		// Its other actions are what the peer can do; a size follows for each format.
		return length == 4+4*int64(bits.OnesCount32(flags&clipFormats))
	case flags&clipActions == clipProvide:
		return flags&clipFormats != 0 && 4 < length && length <= maxText
	default:
		return bits.OnesCount32(flags&clipActions) == 1 && length == 4
	}
}

// cutText writes the beginning of a ClientCutText anew: of a text (RFC 6143 section 7.5.6), or, where the clipboard is
// extended (rfbproto), of a part of the conversation that leads to one.
func (v *Viewer) cutText(b []byte) (passed bool, err error) {
	in, out := v.policy.textIn(), v.policy.textOut()
	length := int64(int32(binary.BigEndian.Uint32(b[4:])))
	if length >= 0 {
		if !in || length > maxText {
			return false, nil
		}
		if err := v.put([]byte{b[0], 0, 0, 0, b[4], b[5], b[6], b[7]}); err != nil {
			return false, err
		}
		return true, v.pass(b[8:])
	}
	flags := binary.BigEndian.Uint32(b[8:])
	// A TurboVNC server to which the extension was never announced reads the length as one of nearly 4 GiB.
	allowed := v.extended && clipLengthFits(flags, -length)
	switch {
	case flags&clipCaps != 0:
		allowed = allowed && (in || out)
	case flags&(clipNotify|clipProvide) != 0:
		allowed = allowed && in
	default:
		allowed = allowed && out
	}
	if !allowed {
		return false, nil
	}
	if err := v.put([]byte{b[0], 0, 0, 0, b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11]}); err != nil {
		return false, err
	}
	return true, v.pass(b[12:])
}

// askForSize hands the client's SetDesktopSize to the desk.
//
// Xtigervnc takes the first byte for the whole message when fewer than eight bytes of it have come, and then reads the
// others as messages (a fault in SMsgReader::readSetDesktopSize, up to 1.15 at least). So what a restricted viewer asks
// for is written anew with one screen that fills the desktop. Read as messages, that is a SetPixelFormat whose depth is
// the number of screens, which no server takes.
func (v *Viewer) askForSize(m rfb.ClientMessage) {
	b := m.Bytes
	if v.policy.unrestricted() {
		v.desk.ask(v, b)
		return
	}
	one := [24]byte{0: b[0], 2: b[2], 3: b[3], 4: b[4], 5: b[5], 6: 1, 16: b[2], 17: b[3], 18: b[4], 19: b[5]}
	if len(b) >= 12 {
		copy(one[8:12], b[8:12]) // The number of the first screen.
	}
	v.desk.ask(v, one[:])
}

// put adds b, a few bytes, to what goes out next. It needs wmu.
func (v *Viewer) put(b []byte) error {
	if err := v.reserve(len(b)); err != nil {
		return err
	}
	v.out = append(v.out, b...)
	return nil
}

// pass is put for any number of bytes that the client sent.
func (v *Viewer) pass(b []byte) error {
	if len(b) <= len(v.room) {
		return v.put(b)
	}
	if err := v.flush(); err != nil {
		return err
	}
	return v.write(b)
}

// reserve makes room for n more bytes, which must be fewer than the room has. It needs wmu.
func (v *Viewer) reserve(n int) error {
	if v.out == nil {
		v.out = v.room[:0]
	}
	if len(v.out)+n <= cap(v.out) {
		return nil
	}
	return v.flush()
}

// flush writes what put has collected. It needs wmu.
func (v *Viewer) flush() error {
	b := v.out
	v.out = v.out[:0]
	return v.write(b)
}
