package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/rfb"
)

// TestViewing proves what Sage understands of viewers, with real desktops.
func TestViewing(t *testing.T) {
	for _, name := range []string{"docker", "podman-rootless"} {
		t.Run(name, func(t *testing.T) {
			e := connect(t, name)
			if !t.Run("image", func(t *testing.T) { e.bringImages(t, "desktop") }) {
				t.FailNow()
			}
			t.Run("view only", func(t *testing.T) { testViewOnly(t, serve(t, e, nil), "desktop", "vnc") })
			t.Run("view only through websockify", func(t *testing.T) {
				testViewOnly(t, serve(t, e, settings{"SAGE_CATALOG": viewingCatalog(t)}), "locked", "websockify")
			})
			t.Run("password", func(t *testing.T) { testPassword(t, e) })
			t.Run("hasty clicks", func(t *testing.T) { testHastyClicks(t, e) })
			t.Run("pictures", func(t *testing.T) { testPictures(t, serve(t, e, nil), "desktop") })
			t.Run("pictures through websockify", func(t *testing.T) {
				testPictures(t, serve(t, e, settings{"SAGE_CATALOG": viewingCatalog(t)}), "messages")
			})
			t.Run("last picture of an idle desktop", func(t *testing.T) { testIdlePicture(t, e) })
			t.Run("input idle", func(t *testing.T) { testInputIdle(t, e) })
			t.Run("VNC viewer", func(t *testing.T) { testVNCViewers(t, e) })
			t.Run("browser", func(t *testing.T) { testViewingBrowser(t, e) })
		})
	}
}

// paintTerminal is a command that gives all of the terminal a colour of xterm's 256:
// 201 is magenta, 30 nearly teal.
func paintTerminal(number int) string {
	return fmt.Sprintf(`printf '\033[48;5;%dm\033[2J'`, number) + "\n"
}

func painted(c color.RGBA) func(*image.RGBA) bool {
	return func(img *image.RGBA) bool { return share(img, c) > 0.2 }
}

// barrier returns when the desktop has read all that s has sent so far: it answers
// in order.
func (s *screen) barrier(t *testing.T) {
	t.Helper()
	if _, err := s.Capture(t.Context()); err != nil {
		t.Fatalf("picture: %v", err)
	}
}

// testViewOnly: one who only looks sees what the others do, and does nothing.
func testViewOnly(t *testing.T, d *daemon, app, endpoint string) {
	s := d.start(t, "allocate", `{"vm":"`+app+`"}`)
	var about struct {
		URL     string `json:"url"`
		ViewURL string `json:"view_url"`
	}
	d.ask(t, http.MethodGet, "/api/vm/"+s.UID, "").decode(t, &about)
	if about.URL != s.URL || about.ViewURL == "" || about.ViewURL == about.URL {
		t.Fatalf("addresses %+v, want %s and another one to look", about, s.URL)
	}
	acts, looks := d.watch(t, about.URL, endpoint), d.watch(t, about.ViewURL, endpoint)
	before := acts.calm(t, "first", showsTerminal)

	// A letter of these would spoil the other viewer's command.
	looks.typeText(t, "spoilt")
	// A click here opens the window manager's menu, which takes the keys.
	const x, y = 0.95, 0.9
	looks.click(t, x, y)
	looks.barrier(t)
	acts.typeText(t, paintTerminal(201))
	after := acts.await(t, "typed", painted(magenta()))
	looks.await(t, "typed seen", painted(magenta()))
	corner := image.Rect(before.Rect.Dx()*9/10, before.Rect.Dy()*8/10, before.Rect.Dx(), before.Rect.Dy())
	const pointer = 1500 // pixels of the pointer and its shadow
	if n := changed(crop(before, corner), crop(after, corner)); n > pointer {
		t.Errorf("%d pixels of the corner have changed where a view-only viewer has clicked", n)
	}
}

// testHastyClicks: a desktop takes clicks that come at once, as they do after a pause of the network. A window manager that
// holds the pointer at each click must not forget to let it go.
func testHastyClicks(t *testing.T, e *engine) {
	d := serve(t, e, nil)
	s := d.watch(t, d.start(t, "allocate", `{"vm":"desktop"}`).URL, "vnc")
	s.calm(t, "first", showsTerminal)
	const left, middle, clicks = 0.3, 0.5, 1200
	for range clicks / 4 {
		s.click(t, left, middle)
		s.click(t, left, middle)
		s.click(t, middle, left)
		s.click(t, middle, left)
		s.barrier(t)
	}
	before := s.calm(t, "clicked", showsTerminal)
	// The desktop's menu.
	s.click(t, 0.95, 0.9)
	s.await(t, "menu", moved(before))
}

// crop copies a part of a picture.
func crop(img *image.RGBA, r image.Rectangle) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		at := img.PixOffset(r.Min.X, r.Min.Y+y)
		copy(out.Pix[y*out.Stride:(y+1)*out.Stride], img.Pix[at:])
	}
	return out
}

// testPassword: who reaches the VNC server beside Sage is refused, and the app
// does not have the password.
func testPassword(t *testing.T, e *engine) {
	d := serve(t, e, nil)
	s := d.start(t, "allocate", `{"vm":"desktop"}`)
	list := e.containers(t.Context(), t, d.instance, s.UID)
	if len(list) != 1 {
		t.Fatalf("%d containers, want 1", len(list))
	}
	knock := func(password string) error {
		conn, err := e.rt.Dial(t.Context(), list[0].ID, 5900)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		client, err := rfb.NewClient(t.Context(), conn, rfb.Options{Shared: true, Password: password})
		if err == nil {
			_ = client.Close()
		}
		return err
	}
	var security *rfb.SecurityError
	if err := knock(""); !errors.As(err, &security) {
		t.Errorf("without a password: %v, want a %T", err, security)
	}
	var wrong *rfb.PasswordError
	if err := knock("mistaken"); !errors.As(err, &wrong) {
		t.Errorf("with a wrong password: %v, want a %T", err, wrong)
	}
	view := d.watch(t, s.URL, "vnc")
	view.calm(t, "first", showsTerminal)
	view.typeText(t, `[ -z "${SAGE_VNC_PASSWORD+set}" ] && `+paintTerminal(201))
	view.await(t, "no password", painted(magenta()))
}

// screenshot asks for a picture that must come.
func (d *daemon) screenshot(t *testing.T, uid, query string, live bool) *image.RGBA {
	t.Helper()
	a := d.ask(t, http.MethodGet, "/api/vm/"+uid+"/screenshot.png"+query, "")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "image/png" {
		t.Fatalf("screenshot: status %d, %s: %s", a.status, a.header.Get("Content-Type"), a.body[:min(len(a.body), 500)])
	}
	if got := a.header.Get("X-Sage-Live"); got != fmt.Sprint(live) {
		t.Errorf("X-Sage-Live: %q, want %t", got, live)
	}
	decoded, err := png.Decode(bytes.NewReader([]byte(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(decoded.Bounds())
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			img.Set(x, y, decoded.At(x, y))
		}
	}
	return img
}

// testPictures follows a desktop's picture through its life.
func testPictures(t *testing.T, d *daemon, app string) {
	s := d.start(t, "allocate", `{"vm":"`+app+`"}`)
	view := d.watch(t, s.URL, "vnc")
	view.calm(t, "first", showsTerminal)
	view.typeText(t, paintTerminal(201))
	view.await(t, "painted", painted(magenta()))

	small := d.screenshot(t, s.UID, "?width=320", true)
	keep(t, small, "small")
	if size := small.Rect.Size(); size != image.Pt(320, 200) || !painted(magenta())(small) {
		t.Errorf("a picture of %v, %.2f of it magenta; want 320x200 with the painted terminal", size, share(small, magenta()))
	}
	var about struct{ Clients int }
	d.ask(t, http.MethodGet, "/api/vm/"+s.UID, "").decode(t, &about)
	if about.Clients != 1 {
		t.Errorf("%d clients after a picture, want the one that looks", about.Clients)
	}

	if a := d.ask(t, http.MethodDelete, "/api/vm/"+s.UID, ""); a.status != http.StatusNoContent {
		t.Fatalf("stop: status %d: %s", a.status, a.body)
	}
	if last := d.screenshot(t, s.UID, "", false); !painted(magenta())(last) {
		t.Error("the last picture does not show what was painted")
	}
	d.start(t, s.UID, `{}`)
	if now := d.screenshot(t, s.UID, "", true); painted(magenta())(now) {
		t.Error("the next desktop's picture is the last one's")
	}
	d.stop(t, s.UID)
	d.ask(t, http.MethodGet, "/api/vm/"+s.UID+"/screenshot.png", "").refused(t, http.StatusNotFound, "no_picture")
	d.checkFiles(t, nil)
}

// testIdlePicture: a desktop that is pictured and not looked at is idle, and keeps
// its last picture at its end.
func testIdlePicture(t *testing.T, e *engine) {
	d := serve(t, e, settings{"CONTAINER_NO_CLIENT_TIMEOUT": (2 * time.Second).String()})
	s := d.start(t, "allocate", `{"vm":"desktop"}`)
	view := d.watch(t, s.URL, "vnc")
	view.calm(t, "first", showsTerminal)
	view.typeText(t, paintTerminal(201))
	view.await(t, "painted", painted(magenta()))
	d.screenshot(t, s.UID, "", true)
	if err := view.Close(); err != nil {
		t.Logf("close the stream: %v", err)
	}
	e.awaitGone(t, d.instance, s.UID)
	if last := d.screenshot(t, s.UID, "?width=400", false); !painted(magenta())(last) {
		t.Error("the last picture does not show what was painted")
	}
}

// testInputIdle: a desktop that somebody looks at and nobody touches is ended after
// its time; one that is used stays.
func testInputIdle(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_CATALOG": viewingCatalog(t)})
	used, left := d.start(t, "allocate", `{"vm":"untouched"}`), d.start(t, "allocate", `{"vm":"untouched"}`)
	types := d.watch(t, used.URL, "vnc")
	types.typeText(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	var typing errgroup.Group
	typing.Go(func() error {
		tick := time.NewTicker(inputIdle / 16)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			if err := types.Type("a"); err != nil {
				return err
			}
		}
	})
	came := time.Now()
	d.watch(t, left.URL, "vnc")
	ended := e.awaitGone(t, d.instance, left.UID).Sub(came)
	if ended < inputIdle {
		t.Errorf("the untouched desktop was gone %s after its client had come, want %s at least", ended, inputIdle)
	}
	types.await(t, "used", showsTerminal) // For longer than the other one's whole time.
	cancel()
	if err := typing.Wait(); err != nil {
		t.Errorf("the desktop that was used: %v", err)
	}
	stopped := time.Now()
	e.awaitGone(t, d.instance, used.UID)
	after := time.Since(stopped)
	t.Logf("gone %s after its client had come, and %s after the last key", ended, after)

	// What an end takes is held against one by request.
	other := d.start(t, "allocate", `{"vm":"untouched"}`)
	began := time.Now()
	d.stop(t, other.UID)
	if limit := inputIdle + idleSlack + time.Since(began); ended > limit || after > limit {
		t.Errorf("gone %s and %s after the last use, want %s at most", ended, after, limit)
	}
}

// testViewingBrowser proves with noVNC what viewers may do.
func testViewingBrowser(t *testing.T, e *engine) {
	b := findBrowser(t)
	own := settings{"SAGE_CATALOG": viewingCatalog(t)}
	t.Run("sizes", func(t *testing.T) { b.use(t, serve(t, e, own), "sizes.mjs", "locked", "messages") })
	t.Run("watching", func(t *testing.T) { b.use(t, serve(t, e, own), "watching.mjs", "locked", "messages") })
	t.Run("clipboard", func(t *testing.T) {
		b.use(t, serve(t, e, own), "clipboard.mjs", "locked=both", "clip-in=in", "clip-out=out", "clip-none=none")
	})
}
