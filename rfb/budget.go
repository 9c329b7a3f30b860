package rfb

import (
	"errors"
	"fmt"
	"io"
)

// ErrLimit says that a server sent more than a picture can need. For a limit of p pixels ([Options.MaxPixels]), one call
// of [Client.Capture] or [Client.Update] writes at most 6p pixels, of which the making of a framebuffer is a part, and
// reads at most 16p bytes and 1 MiB, in at most 4096 messages. A desktop decides on none of them.
var ErrLimit = errors.New("server sends more than a picture can need")

const (
	// pixelsPerLimit and bytesPerLimit are how many pixels are written and how many bytes are read for each pixel of the
	// limit. An honest server sends the screen once, and again after each change of size.
	pixelsPerLimit, bytesPerLimit = 6, 16
	// maxMessages bounds the messages of one call: bells, clipboards, updates without pixels.
	maxMessages = 4096
	// rectangleCost is what a rectangle counts beside its pixels, so that empty ones are not free.
	rectangleCost = 64
)

// budget is what a server may still make a client do in one call. It reads from the server.
type budget struct {
	from      io.Reader
	maxPixels int64

	pixels, bytes, messages int64 // What is left.
}

func newBudget(from io.Reader, maxPixels int) *budget {
	b := &budget{from: from, maxPixels: int64(maxPixels)}
	b.renew()
	return b
}

// renew begins a call.
func (b *budget) renew() {
	b.pixels, b.bytes, b.messages = pixelsPerLimit*b.maxPixels, bytesPerLimit*b.maxPixels+1<<20, maxMessages
}

// Read reads from the server, as long as bytes are left.
func (b *budget) Read(p []byte) (int, error) {
	if b.bytes <= 0 {
		return 0, fmt.Errorf("%w: bytes", ErrLimit)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.bytes)])
	b.bytes -= int64(n)
	return n, err
}

// message counts a message.
func (b *budget) message() error {
	if b.messages--; b.messages < 0 {
		return fmt.Errorf("%w: messages", ErrLimit)
	}
	return nil
}

// work counts n pixels before they are written.
func (b *budget) work(n int) error {
	if b.pixels -= int64(n); b.pixels < 0 {
		return fmt.Errorf("%w: pixels", ErrLimit)
	}
	return nil
}
