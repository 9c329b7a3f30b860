package rfbtest

import "testing"

// Paint fills the server's screen, which keeps it, with a picture of many colours, soft and hard ones.
func (s *Server) Paint(t testing.TB, width, height int) {
	t.Helper()
	x := s.connect(t)
	const rows = 64
	for y := 0; y < height; y += rows {
		n := min(rows, height-y)
		pixels := make([]byte, 0, 4*width*n)
		for row := range n {
			for column := range width {
				pixels = append(pixels, colours(column, y+row)...)
			}
		}
		// PutImage in format ZPixmap, at (0, y), 24 bits deep.
		x.request(72, 2, x.root, x.context, uint32(width)|uint32(n)<<16, uint32(y)<<16, uint32(24<<8), pixels)
	}
	x.sync()
}

// colours gives blue, green, red of a pixel: plain fields, stripes of few colours, soft shades, and noise.
func colours(x, y int) []byte {
	switch x / 80 % 4 {
	case 0:
		return []byte{byte(y / 100 * 60), 40, 90, 0}
	case 1:
		return []byte{byte(x % 3 * 100), byte(y % 2 * 200), 30, 0}
	case 2:
		return []byte{byte(x + y), byte(x - y), byte(y), 0}
	default:
		n := uint32(x*7919+y*104729) * 2654435761
		return []byte{byte(n >> 8), byte(n >> 16), byte(n >> 24), 0}
	}
}
