package rfb

import (
	"errors"
	"fmt"
	"io"
)

// ErrNotRFB says that the peer's first bytes are not the greeting of an RFB server.
var ErrNotRFB = errors.New("peer does not speak rfb")

// greetingSize is the length of a ProtocolVersion message (RFC 6143 section 7.1.1).
const greetingSize = 12

// Version is a protocol version as the greeting gives it, for example 3.8. Both parts are within [0, 999].
type Version struct {
	Major, Minor int
}

// String gives the version as people write it, "3.8".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// greeting gives the version as the ProtocolVersion message that carries it.
func (v Version) greeting() string { return fmt.Sprintf("RFB %03d.%03d\n", v.Major, v.Minor) }

// negotiated is the version to speak with a server that greets with v. RFC 6143 section 7.1.1 wants every unknown
// version treated as 3.3; servers in the field that announce more than 3.8 (3.889, 4.0, 5.0) do speak 3.8, so only
// what is below 3.7 falls back.
func (v Version) negotiated() Version {
	switch {
	case v.Major > 3 || v.Major == 3 && v.Minor >= 8:
		return Version{3, 8}
	case v.Major == 3 && v.Minor == 7:
		return Version{3, 7}
	default:
		return Version{3, 3}
	}
}

// ReadGreeting reads the server's ProtocolVersion message (RFC 6143 section 7.1.1), exactly 12 bytes, and gives the
// version that the server announces. Nothing is written, so it suits a readiness check that hangs up afterwards.
// What is no greeting gives [ErrNotRFB] with the bytes that came; a connection that ends or fails gives the reader's
// error. The caller bounds the wait, with a deadline on the connection.
func ReadGreeting(r io.Reader) (Version, error) {
	var b [greetingSize]byte
	n, err := io.ReadFull(r, b[:])
	if err != nil {
		// A wrong peer may hang up after a few bytes: they tell more than the end of the stream does.
		if n > 0 && !hasGreetingPrefix(b[:n]) {
			return Version{}, fmt.Errorf("%w: it began with %q", ErrNotRFB, b[:n])
		}
		return Version{}, fmt.Errorf("read rfb greeting: %w", err)
	}
	major, ok1 := threeDigits(b[4:7])
	minor, ok2 := threeDigits(b[8:11])
	if !hasGreetingPrefix(b[:]) || !ok1 || !ok2 || b[7] != '.' || b[11] != '\n' {
		return Version{}, fmt.Errorf("%w: it began with %q", ErrNotRFB, b[:])
	}
	return Version{major, minor}, nil
}

// hasGreetingPrefix reports whether b begins like a greeting, as far as b goes.
func hasGreetingPrefix(b []byte) bool {
	const prefix = "RFB "
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

// threeDigits reads three decimal digits. strconv.Atoi would take a sign as well.
func threeDigits(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
