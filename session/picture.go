package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/image/draw"

	"sage/catalog"
	"sage/rfb"
	"sage/runtime"
)

const (
	// lastPictureTimeout bounds the picture that is taken when a desktop stops,
	// since somebody waits for its end; pictureTimeout one that is asked for.
	lastPictureTimeout, pictureTimeout = time.Second, 10 * time.Second
	// picturesAtOnce is how many are taken at the same time: each is a whole screen
	// in memory.
	picturesAtOnce = 4
)

// Picture is what a desktop shows, or showed when it was stopped.
type Picture struct {
	PNG []byte
	// At is when it was taken.
	At time.Time
	// Live says that the desktop runs.
	Live bool
}

// Picture gives what uid's desktop shows, by a short connection of its own to the
// VNC server, or what its last one showed at its end. Where width is not zero and
// the screen is wider, the picture is scaled down to so many pixels. It counts for
// nothing: a desktop that is only pictured is idle.
//
// Errors: ErrInvalidUID, ErrNoPicture, runtime.ErrUnavailable, ErrStore, or the
// context's own.
func (m *Manager) Picture(ctx context.Context, uid string, width int) (Picture, error) {
	if err := CheckUID(uid); err != nil {
		return Picture{}, err
	}
	m.mu.Lock()
	d := m.desktops[uid]
	live := d != nil && d.state.Running()
	m.mu.Unlock()
	if !live {
		return m.store.loadPicture(uid, width)
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTimeout)
	defer cancel()
	at := time.Now()
	screen, err := m.takePicture(ctx, d)
	if err != nil {
		return Picture{}, err
	}
	data, err := encodePicture(scaleDown(screen, width))
	return Picture{PNG: data, At: at, Live: true}, err
}

// takePicture asks a desktop's VNC server what it shows.
func (m *Manager) takePicture(ctx context.Context, d *desktop) (image.Image, error) {
	e, ok := d.pictureEndpoint()
	if !ok {
		return nil, fmt.Errorf("%w of %q: its app has no endpoint that is known to speak RFB", ErrNoPicture, d.uid)
	}
	select {
	case m.pictures <- struct{}{}:
		defer func() { <-m.pictures }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	conn, err := m.rt.Dial(ctx, d.id, e.Port)
	if err == nil && e.Protocol == catalog.WebSocket {
		conn, err = openWebSocket(ctx, conn, e.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
	}
	options := rfb.Options{Shared: true}
	if d.viewing != nil {
		options.Password = d.viewing.password
	}
	client, err := rfb.NewClient(ctx, conn, options) // It closes conn if it fails.
	if err != nil {
		return nil, fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
	}
	defer client.Close()
	screen, err := client.Capture(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
	}
	return screen, nil
}

// pictureEndpoint is where a picture is to be had soonest: at the VNC server itself,
// else through WebSocket; of several, at the primary one.
func (d *desktop) pictureEndpoint() (found catalog.Endpoint, ok bool) {
	for _, e := range append([]catalog.Endpoint{d.primary()}, d.endpoints...) {
		if e.Protocol == catalog.RFB {
			return e, true
		}
		if !ok && e.SpeaksRFB() {
			found, ok = e, true
		}
	}
	return found, ok
}

// keepPicture takes the last picture of a desktop that is about to be stopped. A
// desktop without one is stopped all the same.
func (m *Manager) keepPicture(ctx context.Context, d *desktop) {
	if _, ok := d.pictureEndpoint(); !ok || !m.opts.LastPictures {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastPictureTimeout)
	defer cancel()
	screen, err := m.takePicture(ctx, d)
	if err == nil {
		err = m.store.savePicture(d.uid, screen)
	}
	// One that had ended before is no surprise.
	if err != nil && !errors.Is(err, runtime.ErrConflict) && !errors.Is(err, runtime.ErrNotFound) {
		m.log.Warn("last picture was not kept", "uid", d.uid, "error", err)
	}
}

// scaleDown gives a picture of that width, or the same one where it is not wider.
func scaleDown(screen image.Image, width int) image.Image {
	size := screen.Bounds().Size()
	if width <= 0 || width >= size.X {
		return screen
	}
	small := image.NewRGBA(image.Rect(0, 0, width, max(1, size.Y*width/size.X)))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), screen, screen.Bounds(), draw.Src, nil)
	return small
}

func encodePicture(screen image.Image) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, screen); err != nil {
		return nil, fmt.Errorf("encode a picture: %w", err)
	}
	return out.Bytes(), nil
}

func (s *store) picturePath(uid string) string { return filepath.Join(s.pictures, uid+".png") }

// loadPicture reads the last picture of a uid. As it was kept it needs no decoding.
func (s *store) loadPicture(uid string, width int) (Picture, error) {
	data, err := os.ReadFile(s.picturePath(uid))
	if errors.Is(err, fs.ErrNotExist) {
		return Picture{}, fmt.Errorf("%w of %q: it has not run yet, or was purged", ErrNoPicture, uid)
	}
	if err != nil {
		return Picture{}, fmt.Errorf("%w: picture of %q: %w", ErrStore, uid, err)
	}
	about, err := os.Stat(s.picturePath(uid))
	if err != nil {
		return Picture{}, fmt.Errorf("%w: picture of %q: %w", ErrStore, uid, err)
	}
	p := Picture{PNG: data, At: about.ModTime()}
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err == nil && 0 < width && width < size.Width {
		var screen image.Image
		if screen, err = png.Decode(bytes.NewReader(data)); err == nil {
			p.PNG, err = encodePicture(scaleDown(screen, width))
		}
	}
	if err != nil {
		return Picture{}, fmt.Errorf("%w of %q: the file is damaged: %w", ErrNoPicture, uid, err)
	}
	return p, nil
}

// savePicture writes the last picture of a uid: afterwards the file is the new
// one, and after an error or a crash the old one.
func (s *store) savePicture(uid string, screen image.Image) error {
	data, err := encodePicture(screen)
	if err == nil {
		err = renameio.WriteFile(s.picturePath(uid), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("%w: picture of %q: %w", ErrStore, uid, err)
	}
	return nil
}
