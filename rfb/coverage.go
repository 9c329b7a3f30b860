package rfb

import "image"

// coverage remembers which pixels of a framebuffer have come, to know when a picture is whole. Servers may split one
// answer over several updates, in rectangles of any shape, so it counts pixels and not rectangles.
type coverage struct {
	width   int
	seen    []bool
	missing int
}

func newCoverage(width, height int) *coverage {
	return &coverage{width: width, seen: make([]bool, width*height), missing: width * height}
}

// add notes r, which must lie within the framebuffer.
func (c *coverage) add(r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.seen[y*c.width+r.Min.X : y*c.width+r.Max.X]
		for i, seen := range row {
			if !seen {
				row[i] = true
				c.missing--
			}
		}
	}
}

// has reports whether all of r, which must lie within the framebuffer, has come.
func (c *coverage) has(r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, seen := range c.seen[y*c.width+r.Min.X : y*c.width+r.Max.X] {
			if !seen {
				return false
			}
		}
	}
	return true
}

// whole reports whether every pixel has come.
func (c *coverage) whole() bool { return c.missing == 0 }
