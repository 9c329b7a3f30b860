package rfb

import (
	"fmt"
	"strings"
)

// SecurityType is a number of the security type registry (RFC 6143 section 8.1.2).
type SecurityType uint8

// The security types of RFC 6143 section 7.2 and the ones that servers in the field offer beside them.
const (
	SecurityInvalid  SecurityType = 0
	SecurityNone     SecurityType = 1
	SecurityVNCAuth  SecurityType = 2
	SecurityTight    SecurityType = 16
	SecurityVeNCrypt SecurityType = 19
)

// String gives the name of a known type, else its number.
func (s SecurityType) String() string {
	switch s {
	case SecurityInvalid:
		return "Invalid"
	case SecurityNone:
		return "None"
	case SecurityVNCAuth:
		return "VncAuth"
	case SecurityTight:
		return "Tight"
	case SecurityVeNCrypt:
		return "VeNCrypt"
	default:
		return fmt.Sprintf("type %d", uint8(s))
	}
}

// SecurityError says that the server offers no security type that this client can take.
type SecurityError struct {
	Offered []SecurityType // As the server sent them, in its order.
}

// Error names the offered types.
func (e *SecurityError) Error() string {
	names := make([]string, len(e.Offered))
	for i, s := range e.Offered {
		names[i] = s.String()
	}
	return "rfb: server offers security " + strings.Join(names, ", ") + "; None is supported, and VncAuth with a password"
}

// PasswordError says that the server did not take the password. Asking again with the same one is of no use, and
// servers lock out who tries too often.
type PasswordError struct {
	Reason string // The server's words, at most a few kilobytes; empty before protocol version 3.8.
}

// Error gives the server's reason; the password is not in it.
func (e *PasswordError) Error() string {
	if e.Reason == "" {
		return "rfb: server did not take the password"
	}
	return fmt.Sprintf("rfb: server did not take the password: %q", e.Reason)
}

// RefusedError says that the server turned the connection away and why (RFC 6143 sections 7.1.2 and 7.1.3).
type RefusedError struct {
	Reason string // At most a few kilobytes; empty where the protocol version carries none.
}

// Error gives the server's reason.
func (e *RefusedError) Error() string {
	if e.Reason == "" {
		return "rfb: server refused the connection"
	}
	return fmt.Sprintf("rfb: server refused the connection: %q", e.Reason)
}
