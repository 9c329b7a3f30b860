package e2e_test

import (
	"encoding/binary"
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

// lookAt counts a run of equal pixels at a time: pictures are looked at often,
// and desktops want the processor, too.
func lookAt(img *image.RGBA) look {
	counts := map[uint32]int{}
	most, run := 0, 0
	for i := 0; i < len(img.Pix); i += 4 {
		run++
		pixel := binary.NativeEndian.Uint32(img.Pix[i:])
		if i+4 < len(img.Pix) && binary.NativeEndian.Uint32(img.Pix[i+4:]) == pixel {
			continue
		}
		counts[pixel] += run
		most = max(most, counts[pixel])
		run = 0
	}
	return look{len(counts), part(most, img)}
}

// share is the part of a picture, 0 to 1, that is nearly of the colour.
func share(img *image.RGBA, want color.RGBA) float64 {
	const near = 12
	n := 0
	for i := 0; i < len(img.Pix); i += 4 {
		if apart(img.Pix[i], want.R) <= near && apart(img.Pix[i+1], want.G) <= near && apart(img.Pix[i+2], want.B) <= near {
			n++
		}
	}
	return part(n, img)
}

func apart(a, b uint8) uint8 { return max(a, b) - min(a, b) }

func part(pixels int, img *image.RGBA) float64 { return float64(pixels) / float64(len(img.Pix)/4) }

// changed is the number of pixels that differ between two pictures, all of them
// where the sizes do.
func changed(a, b *image.RGBA) int {
	if a.Rect != b.Rect {
		return len(b.Pix) / 4
	}
	n := 0
	for i := 0; i < len(a.Pix); i += 4 {
		if binary.NativeEndian.Uint32(a.Pix[i:]) != binary.NativeEndian.Uint32(b.Pix[i:]) {
			n++
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
