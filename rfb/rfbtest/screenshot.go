package rfbtest

import (
	"encoding/binary"
	"image"
	"testing"
)

// Screenshot gives what an X display of 24 bits shows, such as that of [StartXvfb], with all of its windows.
func Screenshot(t testing.TB, display string) *image.RGBA {
	t.Helper()
	x := (&Server{Display: display}).connect(t)
	defer x.conn.Close()
	le := binary.LittleEndian
	x.request(14, 0, x.root) // GetGeometry.
	about := x.reply()
	width, height := le.Uint16(about[16:]), le.Uint16(about[18:])
	x.request(73, 2, x.root, uint32(0), width, height, ^uint32(0)) // GetImage in format ZPixmap, all planes.
	pixels := x.reply()[32:]
	img := image.NewRGBA(image.Rect(0, 0, int(width), int(height)))
	for i := 0; i < len(img.Pix); i += 4 {
		// Blue, green, red, and a byte that means nothing.
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = pixels[i+2], pixels[i+1], pixels[i], 255
	}
	return img
}
