//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// The server's messages (RFC 6143 section 7.6) and the encodings that the recording viewer asks for.
const (
	msgUpdate     = 0
	msgColourMap  = 1
	msgBell       = 2
	msgServerText = 3

	encRaw         = 0
	encCopyRect    = 1
	encTight       = 7
	encDesktopSize = -223
	encLastRect    = -224
	encCursor      = -239

	bytesPerPixel = 4
	// tightPixel is the size of a pixel in Tight, where the byte that is nothing is left out.
	tightPixel = 3
	// tightPlain is the size in bytes below which Tight does not compress.
	tightPlain = 12
)

// reader finds the ends of the server's messages. What cannot be read is carried as an error from field to field, and
// comes out at the end of the message.
type reader struct {
	br      *bufio.Reader
	message []byte
	err     error
}

func newReader(r io.Reader) *reader { return &reader{br: bufio.NewReaderSize(r, 1<<16)} }

// next takes n bytes of the message.
func (r *reader) next(n int) []byte {
	from := len(r.message)
	r.message = append(r.message, make([]byte, n)...)
	if r.err == nil {
		_, r.err = io.ReadFull(r.br, r.message[from:])
	}
	return r.message[from:]
}

func (r *reader) u8() int  { return int(r.next(1)[0]) }
func (r *reader) u16() int { return int(binary.BigEndian.Uint16(r.next(2))) }
func (r *reader) fail(e error) {
	if r.err == nil {
		r.err = e
	}
}

// compact is Tight's length of one to three bytes.
func (r *reader) compact() int {
	n := 0
	for shift := 0; shift <= 14; shift += 7 {
		b := r.u8()
		if shift == 14 {
			return n | b<<shift
		}
		n |= b & 0x7f << shift
		if b&0x80 == 0 {
			break
		}
	}
	return n
}

// read gives the next message.
func (r *reader) read() ([]byte, error) {
	r.message = nil
	switch kind := r.u8(); kind {
	case msgUpdate:
		r.next(1)
		for n := r.u16(); n > 0 && r.err == nil; n-- {
			if !r.rectangle() {
				break
			}
		}
	case msgColourMap:
		r.next(3)
		r.next(6 * r.u16())
	case msgBell, msgContinuousUpdates:
	case msgServerText:
		r.next(3)
		r.next(int(binary.BigEndian.Uint32(r.next(4))))
	case msgFence:
		r.next(7)
		r.next(r.u8())
	default:
		r.fail(fmt.Errorf("message %d is not known", kind))
	}
	return r.message, r.err
}

// rectangle reads one of an update; false when it says that it is the last.
func (r *reader) rectangle() bool {
	r.next(4)
	w, h := r.u16(), r.u16()
	switch encoding := int32(binary.BigEndian.Uint32(r.next(4))); encoding {
	case encRaw:
		r.next(w * h * bytesPerPixel)
	case encCopyRect:
		r.next(4)
	case encTight:
		r.tight(w, h)
	case encCursor:
		r.next(w*h*bytesPerPixel + (w+7)/8*h)
	case encDesktopSize:
	case encLastRect:
		return false
	default:
		r.fail(fmt.Errorf("encoding %d was not asked for", encoding))
	}
	return true
}

// tight reads the content of a Tight rectangle.
func (r *reader) tight(w, h int) {
	control := r.u8() >> 4
	switch {
	case control == 8: // One colour.
		r.next(tightPixel)
		return
	case control == 9: // JPEG.
		r.next(r.compact())
		return
	case control > 9:
		r.fail(fmt.Errorf("compression %d of Tight is not known", control))
		return
	}
	size := w * h * tightPixel
	if control&4 != 0 && r.u8() == 1 { // The palette filter.
		colours := r.u8() + 1
		r.next(colours * tightPixel)
		size = w * h
		if colours == 2 {
			size = (w + 7) / 8 * h
		}
	}
	if size >= tightPlain {
		size = r.compact()
	}
	r.next(size)
}
