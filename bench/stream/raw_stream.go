//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"sage/bench/internal/vnc"
	"sage/bench/internal/wire"
)

const (
	// readSize is what the viewer reads at once, in bytes. More is not faster, as it no longer fits the processor's cache.
	readSize = 256 << 10
	// bytesPerPixel of the server's own format, which it need not convert.
	bytesPerPixel = 4

	encodingRaw = 0
)

// rawViewer asks for pixels without any compression, and throws them away: of an update it reads the heads of its
// rectangles (RFC 6143 section 7.6.1) and counts the bytes between them.
type rawViewer struct {
	conn   *wire.Conn
	screen vnc.Screen

	// Where in the stream it is.
	head    [12]byte // Of a message or of a rectangle, as far as it has come.
	have    int
	rects   int   // To come in the update under way, 0 between two updates.
	pixels  int   // Bytes to come in the rectangle under way.
	ended   int   // Updates that have come to their end.
	passed  int64 // All bytes.
	request [10]byte
}

// openViewer connects, greets, and asks for raw pixels.
func openViewer(address, path string) (*rawViewer, error) {
	conn, err := wire.Dial(address, path, readSize, true)
	if err != nil {
		return nil, err
	}
	v := &rawViewer{conn: conn}
	if v.screen, err = vnc.Greet(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// SetEncodings: one, Raw (RFC 6143 section 7.5.2).
	if _, err := conn.Write([]byte{2, 0, 0, 1, 0, 0, 0, encodingRaw}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return v, nil
}

// ask asks for a part of the screen, from its corner, changed or not (RFC 6143 section 7.5.3).
func (v *rawViewer) ask(width, height int) error {
	b := v.request[:]
	b[0], b[1] = 3, 0
	binary.BigEndian.PutUint16(b[6:], uint16(width))
	binary.BigEndian.PutUint16(b[8:], uint16(height))
	_, err := v.conn.Write(b)
	return err
}

// feed follows the stream through the next bytes.
func (v *rawViewer) feed(b []byte) error {
	v.passed += int64(len(b))
	for len(b) > 0 {
		if v.pixels > 0 {
			n := min(v.pixels, len(b))
			v.pixels -= n
			b = b[n:]
			if v.pixels == 0 {
				v.rectEnded()
			}
			continue
		}
		want := 4
		if v.rects > 0 {
			want = len(v.head)
		}
		n := copy(v.head[v.have:want], b)
		v.have += n
		b = b[n:]
		if v.have < want {
			return nil
		}
		v.have = 0
		if err := v.take(); err != nil {
			return err
		}
	}
	return nil
}

// take understands a head.
func (v *rawViewer) take() error {
	h := v.head[:]
	if v.rects == 0 {
		if v.rects = int(binary.BigEndian.Uint16(h[2:])); h[0] != 0 || v.rects == 0 {
			return fmt.Errorf("message % x is no update with rectangles", h[:4])
		}
		return nil
	}
	if encoding := binary.BigEndian.Uint32(h[8:]); encoding != encodingRaw {
		return fmt.Errorf("encoding %d, which was not asked for", int32(encoding))
	}
	v.pixels = int(binary.BigEndian.Uint16(h[4:])) * int(binary.BigEndian.Uint16(h[6:])) * bytesPerPixel
	if v.pixels == 0 {
		v.rectEnded()
	}
	return nil
}

func (v *rawViewer) rectEnded() {
	if v.rects--; v.rects == 0 {
		v.ended++
	}
}

// next takes in what comes next.
func (v *rawViewer) next() error {
	b, err := v.conn.Next()
	if err != nil {
		return err
	}
	return v.feed(b)
}

// screens asks for the whole screen again and again, as viewers do: for the next one when the last one is there.
func (v *rawViewer) screens(enough func() bool) error {
	for {
		if err := v.update(v.screen.Width, v.screen.Height); err != nil {
			return err
		}
		if enough() {
			return nil
		}
	}
}

// trip asks for one pixel and waits for it.
func (v *rawViewer) trip() error { return v.update(1, 1) }

// update asks for a part of the screen and waits until all of it is there.
func (v *rawViewer) update(width, height int) error {
	if err := v.ask(width, height); err != nil {
		return err
	}
	for ended := v.ended; v.ended == ended; {
		if err := v.next(); err != nil {
			return err
		}
	}
	return nil
}

// sum gives a checksum over all bytes of a whole screen.
func (v *rawViewer) sum() (string, error) {
	if err := v.ask(v.screen.Width, v.screen.Height); err != nil {
		return "", err
	}
	hash := fnv.New64a()
	for ended := v.ended; v.ended == ended; {
		b, err := v.conn.Next()
		if err != nil {
			return "", err
		}
		_, _ = hash.Write(b)
		if err := v.feed(b); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%016x of %d bytes", hash.Sum64(), v.passed), nil
}

// Close ends the connection.
func (v *rawViewer) Close() error { return v.conn.Close() }
