package e2e_test

import (
	"context"
	"image"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/rfb"
)

const (
	// pictureLimit bounds the wait for a picture: programs start slowly where the
	// processor draws.
	pictureLimit = 2 * time.Minute
	// pictureInterval is the pause between two pictures.
	pictureInterval = 150 * time.Millisecond
)

// screen is a client that looks at a desktop.
type screen struct {
	*rfb.Client
}

// watch opens a desktop's endpoint as a client does. It closes with the test.
func (d *daemon) watch(t *testing.T, url, endpoint string) *screen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address := "ws" + strings.TrimPrefix(d.address, "http") + url + "/" + endpoint
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{"binary"}})
	if err != nil {
		t.Fatalf("open %s: %v (%s)", address, err, status(resp))
	}
	ws.SetReadLimit(-1)
	// The connection outlives the dialling.
	client, err := rfb.NewClient(ctx, alive(websocket.NetConn(context.Background(), ws, websocket.MessageBinary)), rfb.Options{Shared: true})
	if err != nil {
		t.Fatalf("greet %s: %v", address, err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &screen{client}
}

// living is a connection that is read all the time.
type living struct {
	net.Conn
	received *io.PipeReader
}

// alive makes a client answer pings while it wants nothing of the desktop, as a
// browser does: the WebSocket library answers them while somebody reads.
func alive(conn net.Conn) net.Conn {
	received, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, conn)
		w.CloseWithError(err)
	}()
	return living{conn, received}
}

func (l living) Read(b []byte) (int, error) { return l.received.Read(b) }

func (l living) Close() error {
	_ = l.received.Close()
	return l.Conn.Close()
}

func status(resp *http.Response) string {
	if resp == nil {
		return "no answer"
	}
	return resp.Status
}

// await looks until the picture is right, keeps it under that name, and gives
// it.
func (s *screen) await(t *testing.T, name string, right func(*image.RGBA) bool) *image.RGBA {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pictureLimit)
	defer cancel()
	tick := time.NewTicker(pictureInterval)
	defer tick.Stop()
	var last *image.RGBA
	for {
		img, err := s.Capture(ctx)
		if err != nil {
			keep(t, last, name+"-failed")
			t.Fatalf("%s: %v; the last picture: %+v", name, err, lookOf(last))
		}
		if last = img; right(img) {
			keep(t, img, name)
			return img
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func lookOf(img *image.RGBA) look {
	if img == nil {
		return look{}
	}
	return lookAt(img)
}

// calm waits until a right picture does not change any more but for a blinking
// cursor, so that the next change is the test's own.
func (s *screen) calm(t *testing.T, name string, right func(*image.RGBA) bool) *image.RGBA {
	t.Helper()
	const (
		blinking = 400 // pixels
		quiet    = 1500 * time.Millisecond
	)
	var last *image.RGBA
	var since time.Time
	return s.await(t, name, func(img *image.RGBA) bool {
		if last == nil || changed(last, img) > blinking || !right(img) {
			last, since = img, time.Now()
			return false
		}
		return time.Since(since) >= quiet
	})
}

// moved tells whether a picture differs from before by more than a cursor.
func moved(before *image.RGBA) func(*image.RGBA) bool {
	const enough = 1000 // pixels
	return func(img *image.RGBA) bool { return changed(before, img) > enough }
}

// chord presses keys together.
func (s *screen) chord(t *testing.T, keys ...uint32) {
	t.Helper()
	for _, key := range keys {
		s.key(t, key, true)
	}
	for i := len(keys) - 1; i >= 0; i-- {
		s.key(t, keys[i], false)
	}
}

func (s *screen) key(t *testing.T, key uint32, down bool) {
	t.Helper()
	if err := s.Key(key, down); err != nil {
		t.Fatalf("key: %v", err)
	}
}

func (s *screen) typeText(t *testing.T, text string) {
	t.Helper()
	if err := s.Type(text); err != nil {
		t.Fatalf("type: %v", err)
	}
}

// click clicks at a place given in parts of the screen, 0 to 1.
func (s *screen) click(t *testing.T, x, y float64) {
	t.Helper()
	w, h := s.Size()
	for _, buttons := range []uint8{0, rfb.ButtonLeft, 0} {
		if err := s.Pointer(int(x*float64(w)), int(y*float64(h)), buttons); err != nil {
			t.Fatalf("pointer: %v", err)
		}
	}
}
