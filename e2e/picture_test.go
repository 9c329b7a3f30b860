package e2e_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// look is a picture in numbers.
type look struct {
	// colours is how many different ones there are.
	colours int
	// largest is the share of the most frequent colour, 0 to 1.
	largest float64
}

func lookAt(img *image.RGBA) look {
	counts := map[color.RGBA]int{}
	most := 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.RGBAAt(x, y)
			counts[c]++
			most = max(most, counts[c])
		}
	}
	return look{len(counts), float64(most) / float64(img.Rect.Dx()*img.Rect.Dy())}
}

// share is the part of a picture, 0 to 1, that is nearly of the colour.
func share(img *image.RGBA, want color.RGBA) float64 {
	const near = 12
	n := 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.RGBAAt(x, y)
			if apart(c.R, want.R) <= near && apart(c.G, want.G) <= near && apart(c.B, want.B) <= near {
				n++
			}
		}
	}
	return float64(n) / float64(img.Rect.Dx()*img.Rect.Dy())
}

func apart(a, b uint8) uint8 { return max(a, b) - min(a, b) }

// changed is the number of pixels that differ between two pictures, all of them
// where the sizes do.
func changed(a, b *image.RGBA) int {
	if a.Rect != b.Rect {
		return b.Rect.Dx() * b.Rect.Dy()
	}
	n := 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				n++
			}
		}
	}
	return n
}

// keep writes a picture to the artifacts, where somebody wants them.
func keep(t *testing.T, img *image.RGBA, name string) {
	t.Helper()
	dir := os.Getenv(envArtifacts)
	if dir == "" || img == nil {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Errorf("artifacts: %v", err)
		return
	}
	file := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()+"-"+name) + ".png"
	f, err := os.Create(filepath.Join(dir, file))
	if err != nil {
		t.Errorf("artifacts: %v", err)
		return
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Errorf("artifacts: %v", err)
	}
}
