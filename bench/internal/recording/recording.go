// Package recording keeps what an RFB server and a viewer have said to each other after the handshake, message by message
// and with the time of each, so that it can be played again.
package recording

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Recording is one viewer's stream from the end of the handshake on.
type Recording struct {
	// Width and Height of the screen, in pixels.
	Width, Height int
	// Format is the server's pixel format (RFC 6143 section 7.4).
	Format [16]byte
	// Messages of both sides, in the order in which the viewer saw them.
	Messages []Message
}

// Message is one whole message.
type Message struct {
	// At is when the viewer had it or sent it, since the end of the handshake; in microseconds in a file.
	At         time.Duration
	FromViewer bool
	Bytes      []byte
}

// Update reports whether the message is a FramebufferUpdate (RFC 6143 section 7.6.1).
func (m Message) Update() bool { return !m.FromViewer && m.Bytes[0] == 0 }

// Of gives the messages of one side.
func (r *Recording) Of(viewer bool) []Message {
	var side []Message
	for _, m := range r.Messages {
		if m.FromViewer == viewer {
			side = append(side, m)
		}
	}
	return side
}

// Length gives the time of the last message.
func (r *Recording) Length() time.Duration {
	if len(r.Messages) == 0 {
		return 0
	}
	return r.Messages[len(r.Messages)-1].At
}

const (
	// magic begins a file, before compression.
	magic = "RFB recording 1\n"
	// maxMessage bounds a message in a file, in bytes.
	maxMessage = 64 << 20
)

// Write writes a file: after magic, width, height and format come the messages, each as time since the one before,
// side, length and bytes; numbers are varints; gzip around all.
func (r *Recording) Write(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	b := []byte(magic)
	b = binary.AppendUvarint(b, uint64(r.Width))
	b = binary.AppendUvarint(b, uint64(r.Height))
	b = append(b, r.Format[:]...)
	last := int64(0)
	for _, m := range r.Messages {
		side := uint64(0)
		if m.FromViewer {
			side = 1
		}
		b = binary.AppendUvarint(b, uint64(m.At.Microseconds()-last))
		b = binary.AppendUvarint(b, uint64(len(m.Bytes))<<1|side)
		b = append(b, m.Bytes...)
		last = m.At.Microseconds()
	}
	if _, err := z.Write(b); err != nil {
		return err
	}
	return z.Close()
}

// Read reads what [Recording.Write] has written.
func Read(r io.Reader) (*Recording, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	br := bufio.NewReader(z)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(br, head); err != nil || string(head) != magic {
		return nil, errors.Join(errors.New("recording: the file is none"), err)
	}
	rec := &Recording{}
	for _, side := range []*int{&rec.Width, &rec.Height} {
		n, err := binary.ReadUvarint(br)
		if err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		*side = int(n)
	}
	if _, err := io.ReadFull(br, rec.Format[:]); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	for at := time.Duration(0); ; {
		pause, err := binary.ReadUvarint(br)
		if errors.Is(err, io.EOF) {
			return rec, nil
		}
		if err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		at += time.Duration(pause) * time.Microsecond
		size, err := binary.ReadUvarint(br)
		if err != nil || size>>1 == 0 || size>>1 > maxMessage {
			return nil, errors.Join(fmt.Errorf("recording: message %d has the size %d", len(rec.Messages), size>>1), err)
		}
		m := Message{At: at, FromViewer: size&1 == 1, Bytes: make([]byte, size>>1)}
		if _, err := io.ReadFull(br, m.Bytes); err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		rec.Messages = append(rec.Messages, m)
	}
}
