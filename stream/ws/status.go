package ws

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Status is why a stream was closed (RFC 6455 section 7.4).
type Status uint16

// The reasons.
const (
	StatusNormal          Status = 1000
	StatusGoingAway       Status = 1001
	StatusProtocolError   Status = 1002
	StatusUnsupportedData Status = 1003
	// StatusNone stands for a close frame without a status; it is never sent.
	StatusNone          Status = 1005
	StatusPolicy        Status = 1008
	StatusTooBig        Status = 1009
	StatusInternalError Status = 1011
)

// sendable tells whether a close frame may carry the status (RFC 6455 section 7.4.1 and 7.4.2).
func (s Status) sendable() bool {
	switch {
	case s >= 1000 && s <= 1003, s >= 1007 && s <= 1014, s >= 3000 && s <= 4999:
		return true
	}
	return false
}

// AppendClose appends a whole close frame. A status that cannot be sent is left out, a reason that is too long is cut.
func AppendClose(b []byte, s Status, reason string) []byte {
	if !s.sendable() {
		return AppendHead(b, Close, 0)
	}
	for len(reason) > MaxControl-2 || !utf8.ValidString(reason) {
		reason = reason[:min(len(reason)-1, MaxControl-2)]
	}
	b = AppendHead(b, Close, 2+len(reason))
	return append(binary.BigEndian.AppendUint16(b, uint16(s)), reason...)
}

// ParseClose reads the payload of a close frame.
func ParseClose(payload []byte) (Status, string, error) {
	if len(payload) == 0 {
		return StatusNone, "", nil
	}
	if len(payload) == 1 {
		return 0, "", &Error{StatusProtocolError, "close frame with half a status"}
	}
	s, reason := Status(binary.BigEndian.Uint16(payload)), payload[2:]
	if !s.sendable() {
		return 0, "", &Error{StatusProtocolError, fmt.Sprintf("close frame with the impossible status %d", s)}
	}
	if !utf8.Valid(reason) {
		return 0, "", &Error{StatusProtocolError, "close frame whose reason is not UTF-8"}
	}
	return s, string(reason), nil
}

// Error is a breach of the protocol, with the status that its author is to be told.
type Error struct {
	Status Status
	Reason string
}

// Error says what is wrong.
func (e *Error) Error() string { return "websocket: " + e.Reason }
