package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
)

// MaxUIDLength is the longest uid, in bytes: what fits a label value of any
// engine.
const MaxUIDLength = 63

// CheckUID tells whether uid may name a desktop: 1 to MaxUIDLength letters,
// digits, '-', '_' and '.' of ASCII, not beginning with '.', and not one of the
// words that the API uses in its place. It gives a *UIDError.
func CheckUID(uid string) error {
	switch {
	case uid == "":
		return &UIDError{UID: uid, Problem: "is empty"}
	case len(uid) > MaxUIDLength:
		return &UIDError{UID: uid[:MaxUIDLength] + "...", Problem: fmt.Sprintf("has %d bytes", len(uid))}
	case slices.Contains([]string{"allocate", "list", "any", "ws"}, uid):
		return &UIDError{UID: uid, Problem: "is a word of the API"}
	case uid[0] == '.':
		return &UIDError{UID: uid, Problem: "begins with a dot"}
	}
	for _, c := range uid {
		if !uidRune(c) {
			return &UIDError{UID: uid, Problem: fmt.Sprintf("contains %q", c)}
		}
	}
	return nil
}

func uidRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// NewUID makes a uid that nobody can guess (128 bits).
func NewUID() string { return strings.ToLower(rand.Text()) }

// newToken makes the unguessable part of a stream's address (128 bits).
func newToken() string { return strings.ToLower(rand.Text()) }

// viewTokenOf makes the unguessable part of the address for those who only look. It follows from the other one, so
// that it needs no place of its own, and the other one does not follow from it.
func viewTokenOf(token string) string {
	sum := sha256.Sum256([]byte("view-only " + token))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:viewTokenLength])
}

// viewTokenLength is that of newToken's.
const viewTokenLength = 26

// newPassword makes a password for a VNC server: VncAuth knows 8 characters and no more (RFC 6143, section 7.2.2).
func newPassword() string { return strings.ToLower(rand.Text()[:8]) }
