package rfb

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
)

// zrleSide is the side of a tile, in pixels.
const zrleSide = 64

// colour is a pixel as it comes: red, green, blue. In the format that this client asks for (see rgba), both a CPIXEL
// (RFC 6143 section 7.7.5) and a TPIXEL (rfbproto, Tight) are just these three bytes.
type colour [3]byte

func readColour(r *bufio.Reader) (c colour, err error) { return c, readFull(r, c[:], "colour") }

// zrle reads a rectangle in encoding ZRLE (RFC 6143 section 7.7.6).
func (c *Client) zrle(r image.Rectangle) error {
	var b [4]byte
	if err := readFull(c.br, b[:], "length of compressed pixels"); err != nil {
		return err
	}
	if !r.Empty() {
		in, err := c.zrleStream.begin(c.br, int64(binary.BigEndian.Uint32(b[:])))
		if err != nil {
			return err
		}
		for y := r.Min.Y; y < r.Max.Y; y += zrleSide {
			for x := r.Min.X; x < r.Max.X; x += zrleSide {
				tile := image.Rect(x, y, min(x+zrleSide, r.Max.X), min(y+zrleSide, r.Max.Y))
				if err := c.zrleTile(in, tile); err != nil {
					return err
				}
			}
		}
	} else {
		c.zrleStream.feed.src, c.zrleStream.feed.left = c.br, int64(binary.BigEndian.Uint32(b[:]))
	}
	c.come(r)
	return c.zrleStream.finish()
}

// zrleTile reads one tile, by its kind: raw, of one colour, with a palette, with lengths of runs, or with both.
func (c *Client) zrleTile(in *bufio.Reader, tile image.Rectangle) error {
	kind, err := in.ReadByte()
	if err != nil {
		return fmt.Errorf("rfb: read tile: %w", err)
	}
	runs, colours := kind&0x80 != 0, int(kind&0x7f)
	if !runs && colours > 16 || runs && colours == 1 {
		return fmt.Errorf("rfb: tile of the unknown kind %d", kind)
	}
	var palette [127]colour
	for i := range colours {
		if palette[i], err = readColour(in); err != nil {
			return err
		}
	}
	switch {
	case runs:
		return c.zrleRuns(in, tile, palette[:colours])
	case colours == 0:
		return c.pixels(tile, func() (colour, error) { return readColour(in) })
	case colours == 1:
		return c.pixels(tile, func() (colour, error) { return palette[0], nil })
	default:
		return c.packed(in, tile, palette[:colours], zrleBits(colours))
	}
}

// zrleBits is how many bits name a colour of a palette.
func zrleBits(colours int) int {
	switch {
	case colours == 2:
		return 1
	case colours <= 4:
		return 2
	default:
		return 4
	}
}

// zrleRuns reads pixels that repeat, each run with its colour or, where there is a palette, with its number.
func (c *Client) zrleRuns(in *bufio.Reader, tile image.Rectangle, palette []colour) error {
	left := 0
	var now colour
	return c.pixels(tile, func() (colour, error) {
		if left > 0 {
			left--
			return now, nil
		}
		long := true
		var err error
		if len(palette) == 0 {
			now, err = readColour(in)
		} else {
			var b byte
			if b, err = in.ReadByte(); err == nil && int(b&0x7f) >= len(palette) {
				err = fmt.Errorf("rfb: colour %d of a palette of %d", b&0x7f, len(palette))
			}
			if err == nil {
				now, long = palette[b&0x7f], b&0x80 != 0
			}
		}
		// A run is one longer than the sum of its bytes, of which the last one is not 255.
		for err == nil && long {
			var b byte
			b, err = in.ReadByte()
			left += int(b)
			long = b == 255
			if left >= zrleSide*zrleSide {
				err = fmt.Errorf("rfb: a run is longer than a tile")
			}
		}
		return now, err
	})
}

// packed reads pixels that are numbers of colours, of 1, 2, 4 or 8 bits; each row begins with a byte of its own.
func (c *Client) packed(in *bufio.Reader, r image.Rectangle, palette []colour, bits int) error {
	var b byte
	used := 8
	x := 0
	return c.pixels(r, func() (colour, error) {
		if x == r.Dx() {
			x, used = 0, 8
		}
		x++
		if used == 8 {
			var err error
			if b, err = in.ReadByte(); err != nil {
				return colour{}, fmt.Errorf("rfb: read pixels: %w", err)
			}
			used = 0
		}
		i := int(b>>(8-bits-used)) & (1<<bits - 1)
		used += bits
		if i >= len(palette) {
			return colour{}, fmt.Errorf("rfb: colour %d of a palette of %d", i, len(palette))
		}
		return palette[i], nil
	})
}

// pixels sets the pixels of r, row by row, to what next gives.
func (c *Client) pixels(r image.Rectangle, next func() (colour, error)) error {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		i := c.frame.PixOffset(r.Min.X, y)
		row := c.frame.Pix[i : i+4*r.Dx()]
		for ; len(row) > 0; row = row[4:] {
			p, err := next()
			if err != nil {
				return err
			}
			row[0], row[1], row[2], row[3] = p[0], p[1], p[2], 0xff
		}
	}
	return nil
}

// come notes, for a capture that waits, that the pixels of r have come.
func (c *Client) come(r image.Rectangle) {
	if c.cover != nil {
		c.cover.add(r)
	}
}
