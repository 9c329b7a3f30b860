//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"sage/bench/internal/recording"
	"sage/bench/internal/vnc"
)

// Messages and encodings beyond RFC 6143, as the community's RFB description has them.
const (
	msgContinuousUpdates = 150 // EnableContinuousUpdates of a viewer, EndOfContinuousUpdates of a server.
	msgFence             = 248

	fenceRequest = 1 << 31
	fenceKnown   = 7 // BlockBefore, BlockAfter, SyncNext.
)

// recorder is a viewer that notes what passes.
type recorder struct {
	conn  net.Conn
	began time.Time

	mu  sync.Mutex
	rec *recording.Recording
}

// record connects as a viewer such as noVNC does, lets the person work, and gives what passed.
func record(ctx context.Context, address string) (*recording.Recording, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	screen, err := vnc.Greet(conn)
	if err != nil {
		return nil, err
	}
	r := &recorder{conn: conn, began: time.Now(), rec: &recording.Recording{
		Width: screen.Width, Height: screen.Height, Format: screen.Format,
	}}
	read := make(chan error, 1)
	go func() { read <- r.read() }()
	err = r.work(ctx, read)
	conn.Close()
	return r.rec, err
}

// work sends what the viewer and the person send, until the person is done.
func (r *recorder) work(ctx context.Context, read <-chan error) error {
	err := errors.Join(r.send(pixelFormat()), r.send(encodings()), r.send(request(false, r.rec.Width, r.rec.Height)))
	for _, deed := range deeds() {
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-read:
			return err
		case <-time.After(time.Until(r.began.Add(deed.at))):
		}
		for _, m := range deed.messages {
			err = errors.Join(err, r.send(m))
		}
	}
	return err
}

// send sends a message of the viewer and notes it.
func (r *recorder) send(message []byte) error {
	r.note(true, message)
	_, err := r.conn.Write(message)
	return err
}

func (r *recorder) note(viewer bool, message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rec.Messages = append(r.rec.Messages, recording.Message{
		At: time.Since(r.began).Truncate(time.Microsecond), FromViewer: viewer, Bytes: message,
	})
}

// read notes the server's messages and answers those that want it, until the connection ends.
func (r *recorder) read() error {
	continuous := false
	in := newReader(r.conn)
	for {
		message, err := in.read()
		if err != nil {
			return fmt.Errorf("the server's stream: %w", err)
		}
		r.note(false, message)
		switch message[0] {
		case msgFence:
			flags := binary.BigEndian.Uint32(message[4:])
			if flags&fenceRequest == 0 {
				continue
			}
			answer := append([]byte(nil), message...)
			binary.BigEndian.PutUint32(answer[4:], flags&fenceKnown)
			err = r.send(answer)
		case msgContinuousUpdates:
			if !continuous {
				continuous = true
				err = r.send(enable(r.rec.Width, r.rec.Height))
			}
		case msgUpdate:
			if !continuous {
				err = r.send(request(true, r.rec.Width, r.rec.Height))
			}
		}
		if err != nil {
			return err
		}
	}
}

// pixelFormat asks for the bytes red, green, blue and one that is nothing (RFC 6143 section 7.5.1).
func pixelFormat() []byte {
	return []byte{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0}
}

// encodings says what the viewer understands (RFC 6143 section 7.5.2).
func encodings() []byte {
	list := []int32{
		encCopyRect, encTight, encRaw,
		-26, -254, // JPEG quality 6, compression 2.
		encDesktopSize, encLastRect, encCursor,
		-312, -313, // Fence, ContinuousUpdates.
	}
	b := binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(len(list)))
	for _, e := range list {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	return b
}

// request asks for the screen (RFC 6143 section 7.5.3).
func request(incremental bool, width, height int) []byte {
	b := []byte{3, 0, 0, 0, 0, 0}
	if incremental {
		b[1] = 1
	}
	b = binary.BigEndian.AppendUint16(b, uint16(width))
	return binary.BigEndian.AppendUint16(b, uint16(height))
}

// enable asks for updates without requests.
func enable(width, height int) []byte {
	b := binary.BigEndian.AppendUint16([]byte{msgContinuousUpdates, 1, 0, 0, 0, 0}, uint16(width))
	return binary.BigEndian.AppendUint16(b, uint16(height))
}
