package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// keySize is the length of a key, in bytes: that of the hash (RFC 2104, section 3).
const keySize = sha256.Size

// key signs the labels of containers, so that a person who may run an image or read
// labels cannot make a container that Sage takes for one of its own.
type key [keySize]byte

// loadKey reads the key of a data directory and makes one where there is none,
// which made reports. A damaged key is an error: with another one Sage would leave
// the desktops that run to themselves.
func loadKey(dataDir string) (k key, made bool, err error) {
	path := filepath.Join(dataDir, "key")
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := rand.Read(k[:]); err != nil {
			return key{}, false, fmt.Errorf("%w: key: %w", ErrStore, err)
		}
		if err := renameio.WriteFile(path, []byte(hex.EncodeToString(k[:])+"\n"), 0o600); err != nil {
			return key{}, false, fmt.Errorf("%w: key: %w", ErrStore, err)
		}
		return k, true, nil
	}
	if err != nil {
		return key{}, false, fmt.Errorf("%w: key: %w", ErrStore, err)
	}
	text = bytes.TrimSpace(text)
	if len(text) != hex.EncodedLen(keySize) {
		return key{}, false, fmt.Errorf("%w: key file %s has %d characters, want %d: put the right file back, or remove it and every desktop",
			ErrStore, path, len(text), hex.EncodedLen(keySize))
	}
	if _, err := hex.Decode(k[:], text); err != nil {
		return key{}, false, fmt.Errorf("%w: key file %s: %w: put the right file back, or remove it and every desktop", ErrStore, path, err)
	}
	return k, false, nil
}

// sign returns the message authentication code of some texts (HMAC-SHA-256,
// RFC 2104), in 52 characters of lower-case base32.
func (k key) sign(texts ...string) string {
	mac := hmac.New(sha256.New, k[:])
	for _, text := range texts {
		fmt.Fprintf(mac, "%q\n", text) // No two lists of texts give the same bytes.
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))
}

// verify reports whether a code is the one that sign returns, in constant time.
func (k key) verify(code string, texts ...string) bool {
	return hmac.Equal([]byte(code), []byte(k.sign(texts...)))
}
