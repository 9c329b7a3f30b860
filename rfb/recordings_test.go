package rfb_test

import "testing"

// recording is what both sides of a real session said after the handshake.
type recording struct {
	name           string
	client, server []byte
}

func recordings(testing.TB) []recording { return nil }
