package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/image/draw"
	"golang.org/x/sync/semaphore"

	"sage/catalog"
	"sage/rfb"
	"sage/runtime"
)

const (
	// lastPictureTimeout bounds the picture that is taken when a desktop stops,
	// since a person waits for its end; pictureTimeout one that is asked for.
	lastPictureTimeout, pictureTimeout = time.Second, 10 * time.Second
	// captureTimeout bounds the part of a picture in which it needs memory.
	captureTimeout = 3 * time.Second
	// pictureRetry is how long a desktop whose picture did not come in time is not
	// asked again: others wait for the same places.
	pictureRetry = 10 * time.Second
	// maxPicture is the largest screen of which a picture is taken, and maxKept the
	// largest that is kept, both in pixels.
	maxPicture, maxKept = 4096 * 2304, 1 << 21
	// picturePixels is how many pixels the pictures of one kind have in memory at the
	// same time, at most. Each takes 4 bytes, and as many in the PNG at worst.
	picturePixels = 12 << 20
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
	var failed error
	if live && time.Since(d.pictureFailed) < pictureRetry {
		failed = d.pictureFailure
	}
	m.mu.Unlock()
	if !live {
		return m.keptPicture(ctx, uid, width)
	}
	if failed != nil {
		return Picture{}, failed
	}
	// All who ask for the same at the same time get the same.
	taken := m.taking.DoChan(fmt.Sprintf("%s %d", d.id, width), func() (any, error) { return m.livePicture(d, width) })
	select {
	case r := <-taken:
		if r.Err != nil {
			return Picture{}, r.Err
		}
		return r.Val.(Picture), nil
	case <-ctx.Done():
		return Picture{}, context.Cause(ctx)
	}
}

// livePicture takes a picture of a desktop that runs.
func (m *Manager) livePicture(d *desktop, width int) (Picture, error) {
	ctx, cancel := context.WithTimeout(m.ctx, pictureTimeout)
	defer cancel()
	at := time.Now()
	var p Picture
	err := m.withScreen(ctx, m.pixels.live, d, func(screen image.Image) error {
		data, err := encodePicture(scaleDown(screen, width))
		p = Picture{PNG: data, At: at, Live: true}
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		m.mu.Lock()
		d.pictureFailed, d.pictureFailure = time.Now(), err
		m.mu.Unlock()
	}
	return p, err
}

// pixels bound how much memory the pictures of each kind take.
type pixels struct{ live, last *semaphore.Weighted }

// withScreen calls use with what a desktop's VNC server shows. It counts the pixels of
// the screen from the end of the handshake on.
func (m *Manager) withScreen(ctx context.Context, pixels *semaphore.Weighted, d *desktop, use func(image.Image) error) (err error) {
	defer panicAsError("picture of "+d.uid, &err)
	client, err := m.dialPicture(ctx, d)
	if err != nil {
		return err
	}
	defer client.Close()
	width, height := client.Size()
	if err := pixels.Acquire(ctx, int64(width*height)); err != nil {
		return fmt.Errorf("%w of %q: others are taken: %w", ErrNoPicture, d.uid, err)
	}
	defer pixels.Release(int64(width * height))
	client.LimitPixels(width * height)
	ctx, cancel := context.WithTimeout(ctx, captureTimeout)
	defer cancel()
	screen, err := client.Capture(ctx)
	if err != nil {
		return fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
	}
	return use(screen)
}

// dialPicture connects to a desktop's VNC server, up to the end of the handshake.
func (m *Manager) dialPicture(ctx context.Context, d *desktop) (*rfb.Client, error) {
	e, ok := d.pictureEndpoint()
	if !ok {
		return nil, fmt.Errorf("%w of %q: its app has no endpoint that is known to speak RFB", ErrNoPicture, d.uid)
	}
	conn, err := m.rt.Dial(ctx, d.id, e.Port)
	if err != nil {
		return nil, fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
	}
	options := rfb.Options{Shared: true, MaxPixels: maxPicture, Encodings: pictureEncodings(conn.RemoteAddr())}
	if d.viewing != nil {
		options.Password = d.viewing.password
	}
	if e.Protocol == catalog.WebSocket {
		if conn, err = openWebSocket(ctx, conn, e.Path); err != nil {
			return nil, fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
		}
	}
	client, err := rfb.NewClient(ctx, conn, options) // It closes conn if it fails.
	if err != nil {
		return nil, fmt.Errorf("%w of %q: %w", ErrNoPicture, d.uid, err)
	}
	return client, nil
}

// pictureEncodings returns what a server may write pixels with. On the same machine
// or network the time that both sides save with raw pixels is worth their size.
func pictureEncodings(server net.Addr) []rfb.Encoding {
	near := true
	if tcp, ok := server.(*net.TCPAddr); ok {
		ip := tcp.AddrPort().Addr().Unmap()
		near = ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	if near {
		return []rfb.Encoding{rfb.EncodingRaw}
	}
	return []rfb.Encoding{rfb.EncodingTight, rfb.EncodingZRLE, rfb.EncodingCopyRect, rfb.EncodingRaw}
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

// keepPicture takes the last picture of a desktop that is about to be stopped, and
// returns when its pixels have come; the desktop may go then. kept blocks until the
// picture is on disk. A desktop without one is stopped all the same.
func (m *Manager) keepPicture(d *desktop) (kept func()) {
	if _, ok := d.pictureEndpoint(); !ok || !m.opts.LastPictures {
		return func() {}
	}
	come, saved := make(chan struct{}), make(chan struct{})
	arrived := sync.OnceFunc(func() { close(come) })
	m.work.Go(func() {
		defer close(saved)
		defer arrived()
		ctx, cancel := context.WithTimeout(m.ctx, lastPictureTimeout)
		defer cancel()
		err := m.withScreen(ctx, m.pixels.last, d, func(screen image.Image) error {
			arrived()
			return m.store.savePicture(d.uid, screen)
		})
		// One that had ended before is no surprise.
		if err != nil && !errors.Is(err, runtime.ErrConflict) && !errors.Is(err, runtime.ErrNotFound) {
			m.log.Warn("last picture was not kept", "uid", d.uid, "error", err)
		}
	})
	<-come
	return func() { <-saved }
}

// keptPicture returns the last picture of a uid. Where it has to be scaled its pixels count
// like those of desktops that run.
func (m *Manager) keptPicture(ctx context.Context, uid string, width int) (Picture, error) {
	p, size, err := m.store.loadPicture(uid)
	if err != nil || width <= 0 || width >= size.X {
		return p, err
	}
	if err := m.pixels.live.Acquire(ctx, int64(size.X*size.Y)); err != nil {
		return Picture{}, context.Cause(ctx)
	}
	defer m.pixels.live.Release(int64(size.X * size.Y))
	screen, err := png.Decode(bytes.NewReader(p.PNG))
	if err == nil {
		p.PNG, err = encodePicture(scaleDown(screen, width))
	}
	if err != nil {
		return Picture{}, fmt.Errorf("%w of %q: the file is damaged: %w", ErrNoPicture, uid, err)
	}
	return p, nil
}

// keptWidth returns the width at which a screen of that size is kept.
func keptWidth(size image.Point) int {
	pixels := float64(size.X) * float64(size.Y)
	return int(float64(size.X) * min(1, math.Sqrt(maxKept/max(1, pixels))))
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

// loadPicture reads the last picture of a uid, as it was kept, and its size.
func (s *store) loadPicture(uid string) (Picture, image.Point, error) {
	data, err := readFile(s.picturePath(uid))
	if errors.Is(err, fs.ErrNotExist) {
		return Picture{}, image.Point{}, fmt.Errorf("%w of %q: it has not run yet, or was purged", ErrNoPicture, uid)
	}
	if err != nil {
		return Picture{}, image.Point{}, fmt.Errorf("%w: picture of %q: %w", ErrStore, uid, err)
	}
	about, err := os.Stat(s.picturePath(uid))
	if err != nil {
		return Picture{}, image.Point{}, fmt.Errorf("%w: picture of %q: %w", ErrStore, uid, err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err == nil && config.Width*config.Height > maxPicture {
		err = fmt.Errorf("it has %dx%d pixels", config.Width, config.Height)
	}
	if err != nil {
		return Picture{}, image.Point{}, fmt.Errorf("%w of %q: the file is damaged: %w", ErrNoPicture, uid, err)
	}
	return Picture{PNG: data, At: about.ModTime()}, image.Pt(config.Width, config.Height), nil
}

// savePicture writes the last picture of a uid: afterwards the file is the new
// one, and after an error or a crash the old one. A large screen is scaled down.
func (s *store) savePicture(uid string, screen image.Image) error {
	data, err := encodePicture(scaleDown(screen, keptWidth(screen.Bounds().Size())))
	if err == nil {
		err = renameio.WriteFile(s.picturePath(uid), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("%w: picture of %q: %w", ErrStore, uid, err)
	}
	return nil
}
