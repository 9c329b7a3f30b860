package rfb

import (
	"crypto/des"
	"fmt"
	"io"
	"math/bits"
)

// challengeSize is the length of a VncAuth challenge and of its answer, in bytes.
const challengeSize = 16

// answerChallenge is the client's part of security type VncAuth (RFC 6143 section 7.2.2).
//
// It is weak: DES with a key of 56 bits, the password cut to eight bytes, and nothing but the handshake is protected:
// who listens can find the password by trying all keys, and reads the session anyway. It keeps strangers in the same
// network away from a desktop, with a random password that serves nothing else.
func answerChallenge(server io.ReadWriter, password string) error {
	var b [challengeSize]byte
	if err := readFull(server, b[:], "challenge"); err != nil {
		return err
	}
	var key [8]byte
	copy(key[:], password)
	// VNC takes the bits of each byte of the key in the other order than DES does.
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	cipher, err := des.NewCipher(key[:])
	if err != nil {
		return fmt.Errorf("rfb: answer the challenge: %w", err)
	}
	cipher.Encrypt(b[:8], b[:8])
	cipher.Encrypt(b[8:], b[8:])
	return send(server, b[:])
}
