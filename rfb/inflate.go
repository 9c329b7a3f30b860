package rfb

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// maxCarry bounds what a rectangle's compressed data may hold beyond its pixels, in bytes: a few of zlib's marks.
const maxCarry = 1 << 10

// inflater is one zlib stream that goes on over many rectangles (RFC 6143 section 7.7.6; rfbproto, Tight). Each
// rectangle brings a piece of it.
type inflater struct {
	feed piecewise
	zr   io.ReadCloser // Nil before the first piece: making it reads the stream's head.
	out  *bufio.Reader
}

// piecewise gives a decompressor what there is of its stream: what the last piece left over, and then the next piece.
type piecewise struct {
	carry []byte
	src   *bufio.Reader
	left  int64
}

func (p *piecewise) ReadByte() (byte, error) {
	if len(p.carry) > 0 {
		b := p.carry[0]
		p.carry = p.carry[1:]
		return b, nil
	}
	if p.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	p.left--
	return p.src.ReadByte()
}

func (p *piecewise) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.carry) > 0 {
		n := copy(b, p.carry)
		p.carry = p.carry[n:]
		return n, nil
	}
	if p.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := p.src.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	return n, err
}

// begin lets the stream go on with the next n bytes of src and gives the reader of what comes out. finish must follow.
func (z *inflater) begin(src *bufio.Reader, n int64) (*bufio.Reader, error) {
	z.feed.src, z.feed.left = src, n
	if z.zr == nil {
		zr, err := zlib.NewReader(&z.feed)
		if err != nil {
			return nil, fmt.Errorf("rfb: begin to inflate: %w", err)
		}
		z.zr, z.out = zr, bufio.NewReaderSize(zr, 4<<10)
	}
	return z.out, nil
}

// finish takes what is left of the piece, which belongs to the stream though no pixel comes out of it any more.
func (z *inflater) finish() error {
	n := int64(len(z.feed.carry)) + z.feed.left
	if n > maxCarry || z.out != nil && z.out.Buffered() > 0 {
		return errors.New("rfb: more pixels are compressed than the rectangle has")
	}
	carry := append(make([]byte, 0, n), z.feed.carry...)
	carry = carry[:n]
	if err := readFull(z.feed.src, carry[len(z.feed.carry):], "end of compressed pixels"); err != nil {
		return err
	}
	z.feed.carry, z.feed.left = carry, 0
	return nil
}
