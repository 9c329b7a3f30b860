package session_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image/png"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sage/catalog"
	"sage/runtime/fake"
	"sage/session"
)

// painter is an RFB server of one colour that counts who asks for its picture.
type painter struct {
	width, height int
	// takes is how long a picture takes; negative for a server that never sends one.
	takes time.Duration

	mu                    sync.Mutex
	asked, atOnce, mostly int
}

// program serves RFB 3.8 with security None (RFC 6143, section 7.1).
func (p *painter) program() fake.Program {
	return fake.Serves(vncPort, func(ctx context.Context, conn net.Conn) {
		say := func(b []byte) { _, _ = conn.Write(b) }
		hear := func(n int) []byte {
			b := make([]byte, n)
			if _, err := io.ReadFull(conn, b); err != nil {
				return nil
			}
			return b
		}
		say([]byte(fake.Greeting))
		if hear(12) == nil {
			return
		}
		say([]byte{1, 1})
		hear(1)
		say(make([]byte, 4))
		if hear(1) == nil {
			return
		}
		size := binary.BigEndian.AppendUint16(nil, uint16(p.width))
		size = binary.BigEndian.AppendUint16(size, uint16(p.height))
		say(append(size, append([]byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0}, 0, 0, 0, 0)...))
		for {
			kind := hear(1)
			switch {
			case kind == nil:
				return
			case kind[0] == 0:
				hear(19)
			case kind[0] == 2:
				hear(4 * int(binary.BigEndian.Uint16(hear(3)[1:])))
			case kind[0] == 3:
				hear(9)
				p.count(1)
				done := ctx.Done()
				if p.takes >= 0 {
					time.Sleep(p.takes)
				} else {
					// Until the asker has gone.
					_, _ = conn.Read(make([]byte, 1))
				}
				p.count(-1)
				select {
				case <-done:
					return
				default:
				}
				if p.takes < 0 {
					return
				}
				say(append([]byte{0, 0, 0, 1, 0, 0, 0, 0}, append(size[:4:4], make([]byte, 4+4*p.width*p.height)...)...))
			}
		}
	})
}

func (p *painter) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked += max(0, n)
	p.atOnce += n
	p.mostly = max(p.mostly, p.atOnce)
}

// app makes an app of its own that shows what p paints.
func (b *bench) paint(id string, p *painter) {
	app := desk(id)
	app.Image = "localhost/test/" + id + ":1"
	app.Viewing = catalog.Viewing{Understand: true, Clipboard: "both"}
	b.apps.Apps = append(b.apps.Apps, app)
	b.engine.SetImage(app.Image, fake.Image{Program: p.program()})
}

// TestPicturesAreShared: whoever asks at the same time gets the same picture.
func TestPicturesAreShared(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		p := &painter{width: 640, height: 400, takes: 100 * time.Millisecond}
		b.paint("painted", p)
		if _, err := b.Start(t.Context(), "alice", session.Request{App: "painted"}); err != nil {
			t.Fatal(err)
		}
		each(50, func(int) {
			got, err := b.Picture(t.Context(), "alice", 320)
			if err != nil {
				t.Error(err)
				return
			}
			if size, err := png.DecodeConfig(bytes.NewReader(got.PNG)); err != nil || size.Width != 320 || size.Height != 200 || !got.Live {
				t.Errorf("got %+v, %v", size, err)
			}
		})
		if p.asked != 1 {
			t.Errorf("the desktop was asked %d times", p.asked)
		}
		if _, err := b.Picture(t.Context(), "alice", 0); err != nil || p.asked != 2 {
			t.Errorf("later it was asked %d times, %v", p.asked, err)
		}
	})
}

// TestPicturesAreBounded: of large screens few are in memory, and desktops that never
// answer do not keep others from being pictured.
func TestPicturesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		large := &painter{width: 4096, height: 2304, takes: 50 * time.Millisecond}
		silent := &painter{width: 4096, height: 2304, takes: -1}
		quick := &painter{width: 320, height: 200}
		b.paint("large", large)
		b.paint("silent", silent)
		b.paint("quick", quick)
		b.paint("huge", &painter{width: 7680, height: 4320})
		for i, app := range []string{"large", "large", "large", "silent", "silent", "silent", "quick", "huge"} {
			if _, err := b.Start(t.Context(), uidOf(i), session.Request{App: app}); err != nil {
				t.Fatal(err)
			}
		}
		each(3, func(i int) {
			if _, err := b.Picture(t.Context(), uidOf(i), 100); err != nil {
				t.Error(err)
			}
		})
		if large.mostly != 1 {
			t.Errorf("%d large screens were taken at the same time", large.mostly)
		}
		if _, err := b.Picture(t.Context(), uidOf(7), 100); !errors.Is(err, session.ErrNoPicture) {
			t.Errorf("of a screen that is too large: %v", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 3 { // A page that shows all desktops asks again and again.
			all.Go(func() {
				for ctx.Err() == nil {
					_, _ = b.Picture(ctx, uidOf(3+i), 320)
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		for range 10 {
			if _, err := b.Picture(t.Context(), uidOf(6), 320); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("ten pictures took %s", took)
		}
		cancel()
		all.Wait()
	})
}

// TestLastPicturesOfMany: desktops that are stopped together all keep their picture.
func TestLastPicturesOfMany(t *testing.T) {
	var log strings.Builder
	bubble(t, func(t *testing.T, b *bench) {
		p := &painter{width: 1280, height: 800, takes: 300 * time.Millisecond}
		b.paint("painted", p)
		const desktops = 20
		for i := range desktops {
			if _, err := b.Start(t.Context(), uidOf(i), session.Request{App: "painted"}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		each(desktops, func(i int) {
			if err := b.Stop(t.Context(), uidOf(i), session.StopOptions{}); err != nil {
				t.Error(err)
			}
		})
		if took := time.Since(began); took > time.Second {
			t.Errorf("the stops took %s", took)
		}
		for i := range desktops {
			got, err := b.Picture(t.Context(), uidOf(i), 0)
			if err != nil || got.Live {
				t.Errorf("%s: %v", uidOf(i), err)
			}
		}
		if text := log.String(); strings.Contains(text, "last picture was not kept") {
			t.Errorf("log:\n%s", text)
		}
	}, func(b *bench) {
		b.opts.LastPictures = true
		b.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
}

// TestKeptPictureIsSmall: a large screen is kept scaled down.
func TestKeptPictureIsSmall(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.paint("large", &painter{width: 4096, height: 2304})
		if _, err := b.Start(t.Context(), "alice", session.Request{App: "large"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := b.Picture(t.Context(), "alice", 0)
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.DecodeConfig(bytes.NewReader(got.PNG))
		if err != nil || size.Width*size.Height > 1<<21 || size.Width < 1800 {
			t.Errorf("kept %dx%d, %v", size.Width, size.Height, err)
		}
	}, func(b *bench) { b.opts.LastPictures = true })
}
