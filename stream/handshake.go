package stream

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// checkHandshake checks the client's opening handshake (RFC 6455 section 4.2.1) and sets the headers that its refusal
// wants on header.
func checkHandshake(r *http.Request, header http.Header) error {
	if r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor < 1 ||
		!hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket") {
		// Connection: Upgrade would be for HTTP/1.1 only; net/http drops it from HTTP/2 answers.
		header.Set("Connection", "Upgrade")
		header.Set("Upgrade", "websocket")
		return fmt.Errorf("%w: open it as a WebSocket, over HTTP/1.1", ErrUpgradeRequired)
	}
	if v := r.Header.Get("Sec-WebSocket-Version"); v != "13" {
		header.Set("Sec-WebSocket-Version", "13")
		return fmt.Errorf("%w: version %q is not 13", ErrHandshake, v)
	}
	keys := r.Header.Values("Sec-WebSocket-Key")
	if len(keys) != 1 {
		return fmt.Errorf("%w: %d Sec-WebSocket-Key headers instead of one", ErrHandshake, len(keys))
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0])); err != nil || len(key) != 16 {
		return fmt.Errorf("%w: Sec-WebSocket-Key is not 16 bytes in base64", ErrHandshake)
	}
	return nil
}

// hasToken reports whether a list header holds token, in any case (RFC 9110 section 5.6.1).
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// acceptKey is the answer to a client's key (RFC 6455 section 4.2.2, step 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
