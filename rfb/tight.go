package rfb

import (
	"bufio"
	"fmt"
	"image"
)

// What the upper half of Tight's first byte says (rfbproto, Tight). Without the top bit it is a zlib stream's number.
const (
	tightFilter = 0x4 // A byte that names the filter follows.
	tightFill   = 0x8
	tightJPEG   = 0x9
	tightPNG    = 0xa // In TightPNG; in Tight the same number says that nothing is compressed.
)

// The filters.
const (
	tightCopy     = 0
	tightPalette  = 1
	tightGradient = 2
)

// tightMinimum is the length, in bytes, from which on data is compressed.
const tightMinimum = 12

// tight reads a rectangle in encoding Tight (rfbproto). JPEG is an error: a server may only send it to a client that
// announced a level of quality, which this one does not.
func (c *Client) tight(r image.Rectangle) error {
	control, err := c.br.ReadByte()
	if err != nil {
		return fmt.Errorf("rfb: read tight rectangle: %w", err)
	}
	for i := range c.tightStreams {
		if control&(1<<i) != 0 {
			c.tightStreams[i] = inflater{}
		}
	}
	switch kind := control >> 4; {
	case kind == tightFill:
		var p colour
		if p, err = readColour(c.br); err == nil {
			err = c.pixels(r, func() (colour, error) { return p, nil })
		}
	case kind&0x8 == 0:
		err = c.tightBasic(r, &c.tightStreams[kind&0x3], kind&tightFilter != 0)
	case kind&^tightFilter == tightPNG:
		err = c.tightBasic(r, nil, kind&tightFilter != 0)
	default:
		return fmt.Errorf("rfb: tight rectangle of type %d, which was not asked for", kind)
	}
	if err == nil {
		c.come(r)
	}
	return err
}

// tightBasic reads pixels that went through a filter and were perhaps compressed, in stream z where there is one.
func (c *Client) tightBasic(r image.Rectangle, z *inflater, filtered bool) (err error) {
	filter := byte(tightCopy)
	if filtered {
		if filter, err = c.br.ReadByte(); err != nil {
			return fmt.Errorf("rfb: read tight filter: %w", err)
		}
	}
	var palette []colour
	size := 3 * r.Dx() * r.Dy()
	switch filter {
	case tightCopy, tightGradient:
	case tightPalette:
		n, err := c.br.ReadByte()
		if err != nil {
			return fmt.Errorf("rfb: read tight palette: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("rfb: tight palette of one colour")
		}
		palette = make([]colour, int(n)+1)
		for i := range palette {
			if palette[i], err = readColour(c.br); err != nil {
				return err
			}
		}
		size = r.Dx() * r.Dy()
		if len(palette) == 2 {
			size = (r.Dx() + 7) / 8 * r.Dy()
		}
	default:
		return fmt.Errorf("rfb: unknown tight filter %d", filter)
	}
	in := c.br
	if size >= tightMinimum {
		n, err := readTightLength(c.br)
		if err != nil {
			return err
		}
		switch {
		case z != nil:
			if in, err = z.begin(c.br, int64(n)); err != nil {
				return err
			}
		case n != size:
			return fmt.Errorf("rfb: %d bytes of pixels instead of %d", n, size)
		}
	} else {
		z = nil
	}
	switch {
	case palette == nil && filter == tightGradient:
		err = c.gradient(in, r)
	case palette == nil:
		err = c.pixels(r, func() (colour, error) { return readColour(in) })
	case len(palette) == 2:
		err = c.packed(in, r, palette, 1)
	default:
		err = c.packed(in, r, palette, 8)
	}
	if err != nil || z == nil {
		return err
	}
	return z.finish()
}

// gradient reads pixels as differences from what their neighbours to the left and above let expect.
func (c *Client) gradient(in *bufio.Reader, r image.Rectangle) error {
	above := make([]colour, r.Dx())
	var left, corner colour // To the left; above that.
	x := 0
	return c.pixels(r, func() (colour, error) {
		if x == r.Dx() {
			x = 0
		}
		if x == 0 {
			left, corner = colour{}, colour{}
		}
		p, err := readColour(in)
		if err != nil {
			return p, err
		}
		for i := range p {
			expected := int(left[i]) + int(above[x][i]) - int(corner[i])
			p[i] += byte(min(max(expected, 0), 255))
		}
		corner, left = above[x], p
		above[x] = p
		x++
		return p, nil
	})
}

// readTightLength reads a length of one to three bytes, lowest bits first.
func readTightLength(in *bufio.Reader) (int, error) {
	n := 0
	for shift := 0; ; shift += 7 {
		b, err := in.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("rfb: read tight length: %w", err)
		}
		if shift == 14 {
			return n | int(b)<<14, nil
		}
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return n, nil
		}
	}
}
