package rfb

import (
	"image"
	"math/bits"
)

// coverage remembers which pixels of a framebuffer have come, to know when a picture is whole. Servers may split one
// answer over several updates, in rectangles of any shape, so it counts pixels and not rectangles. It takes a bit for
// each pixel.
type coverage struct {
	stride  int // Words of a row.
	seen    []uint64
	missing int
}

func newCoverage(width, height int) *coverage {
	stride := (width + 63) / 64
	return &coverage{stride: stride, seen: make([]uint64, stride*height), missing: width * height}
}

// words calls f with each word that r, which must lie within the framebuffer, has a part in, and with that part, until
// f returns false.
func (c *coverage) words(r image.Rectangle, f func(word *uint64, part uint64) bool) {
	if r.Empty() {
		return
	}
	first, last := r.Min.X/64, (r.Max.X-1)/64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.seen[y*c.stride:]
		for i := first; i <= last; i++ {
			part := ^uint64(0)
			if i == first {
				part <<= r.Min.X % 64
			}
			if i == last {
				part &= ^uint64(0) >> (63 - (r.Max.X-1)%64)
			}
			if !f(&row[i], part) {
				return
			}
		}
	}
}

// add notes r, which must lie within the framebuffer.
func (c *coverage) add(r image.Rectangle) {
	c.words(r, func(word *uint64, part uint64) bool {
		c.missing -= bits.OnesCount64(part &^ *word)
		*word |= part
		return true
	})
}

// remove notes that r, which must lie within the framebuffer, holds something else.
func (c *coverage) remove(r image.Rectangle) {
	c.words(r, func(word *uint64, part uint64) bool {
		c.missing += bits.OnesCount64(part & *word)
		*word &^= part
		return true
	})
}

// has reports whether all of r, which must lie within the framebuffer, has come.
func (c *coverage) has(r image.Rectangle) bool {
	all := true
	c.words(r, func(word *uint64, part uint64) bool {
		all = *word&part == part
		return all
	})
	return all
}

// whole reports whether every pixel has come.
func (c *coverage) whole() bool { return c.missing == 0 }
