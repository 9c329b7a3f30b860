package e2e_test

import (
	"image"
	"image/color"
	"net/http"
	"testing"
	"time"

	"sage/rfb"
)

const (
	// idleTimeout is what the daemon is told, idleSlack what it may take beyond
	// that until the container is gone. It is the one bound in seconds here, and
	// a promise of Sage.
	idleTimeout = 3 * time.Second
	idleSlack   = 2 * time.Second
)

// appCase is one app of the catalog.
type appCase struct {
	id string
	// shows tells whether a picture is the app's, and not that of an empty screen.
	shows func(*image.RGBA) bool
	// use works with the keyboard and makes sure that it is seen; it is given the
	// app's first picture.
	use func(*testing.T, *screen, *image.RGBA)
	// back checks in the next container that what use did was kept; nil where
	// the app shows nothing of it.
	back func(*testing.T, *screen)
}

func apps() []appCase {
	return []appCase{
		{id: "desktop", shows: showsTerminal, use: paintFile, back: showFile},
		{id: "firefox", shows: showsFirefox, use: openTealPage, back: seeTealPage},
		{id: "blender", shows: showsBlender, use: openSearch},
	}
}

// What the tests paint on screens: colours that nothing else there has.
func teal() color.RGBA    { return color.RGBA{R: 0, G: 128, B: 128, A: 255} }
func magenta() color.RGBA { return color.RGBA{R: 255, G: 0, B: 255, A: 255} }

// testApp follows an app through its life: allocated, seen, used, left, gone,
// and back.
func testApp(t *testing.T, e *engine, app appCase) {
	d := serve(t, e, settings{"CONTAINER_NO_CLIENT_TIMEOUT": idleTimeout.String()})
	s := d.start(t, "allocate", `{"vm":"`+app.id+`"}`)
	view := d.watch(t, s.URL, "vnc")
	app.use(t, view, view.calm(t, "first", app.shows))

	if n := len(e.containers(t.Context(), t, d.instance, s.UID)); n != 1 {
		t.Errorf("%d containers, want 1", n)
	}
	left := time.Now()
	if err := view.Close(); err != nil {
		t.Logf("close the stream: %v", err)
	}
	took := e.awaitGone(t, d.instance, s.UID).Sub(left)
	t.Logf("the container was gone %s after its client", took.Round(time.Millisecond))
	if took < idleTimeout {
		t.Errorf("the container was gone %s after its client had left, want %s at least", took, idleTimeout)
	}
	if !e.hasVolume(t, d.volume(s.UID)) {
		t.Error("the home is gone, too")
	}
	d.ask(t, http.MethodGet, "/api/vm/ws/"+s.UID, "").refused(t, http.StatusNotFound, "not_running")

	again := d.start(t, s.UID, `{}`)
	var about struct {
		App string `json:"app"`
	}
	d.ask(t, http.MethodGet, "/api/vm/"+s.UID, "").decode(t, &about)
	if about.App != app.id {
		t.Errorf("with an empty body %q came back, want %q", about.App, app.id)
	}
	view = d.watch(t, again.URL, "vnc")
	if app.back == nil {
		view.await(t, "back", app.shows)
	} else {
		app.back(t, view)
	}

	// What an end takes depends on the app and on the machine, so the one by idleness is held against one by request.
	began := time.Now()
	d.stop(t, s.UID)
	if limit := idleTimeout + idleSlack + time.Since(began); took > limit {
		t.Errorf("the container was gone %s after its client had left, want %s at most", took, limit)
	}
}

// showsTerminal: the wallpaper has two colours and a pointer, the terminal's
// smooth text and its frame many; half of the screen is the window.
func showsTerminal(img *image.RGBA) bool {
	l := lookAt(img)
	return l.colours > 200 && l.largest < 0.8
}

// showsFirefox: its bars with icons and smooth text above a page, which may be
// of one colour.
func showsFirefox(img *image.RGBA) bool {
	l := lookAt(img)
	return l.colours > 200 && l.largest < 0.95
}

// showsBlender: its editors, all of them shaded.
func showsBlender(img *image.RGBA) bool {
	l := lookAt(img)
	return l.colours > 1000 && l.largest < 0.8
}

// paintFile writes a file into the home that paints the terminal when it is
// shown.
func paintFile(t *testing.T, s *screen, first *image.RGBA) {
	s.typeText(t, `printf '\033[48;5;201m\033[2J' > paint && sync`+"\n")
	img := s.calm(t, "typed", moved(first))
	if share(img, magenta()) > 0.01 {
		t.Error("the terminal is painted already")
	}
}

func showFile(t *testing.T, s *screen) {
	s.calm(t, "back", showsTerminal)
	s.typeText(t, "cat paint\n")
	s.await(t, "kept", func(img *image.RGBA) bool { return share(img, magenta()) > 0.2 })
}

// openTealPage types an address that only the profile knows afterwards. Its
// start page may still change by itself, so the colour alone is the proof.
func openTealPage(t *testing.T, s *screen, first *image.RGBA) {
	if share(first, teal()) > 0.01 {
		t.Error("the picture is teal already")
	}
	s.chord(t, rfb.KeyControl, rfb.KeySym('l'))
	s.typeText(t, "data:text/html,<title>kept</title><body bgcolor=teal>\n")
	s.await(t, "opened", func(img *image.RGBA) bool { return share(img, teal()) > 0.5 })
}

func seeTealPage(t *testing.T, s *screen) {
	s.await(t, "back", func(img *image.RGBA) bool { return share(img, teal()) > 0.5 })
}

// openSearch opens the menu that F3 has where the pointer is.
func openSearch(t *testing.T, s *screen, first *image.RGBA) {
	// A first click, beside the splash screen, takes it away.
	s.click(t, 0.15, 0.8)
	before := s.calm(t, "before", moved(first))
	const keyF3 = rfb.KeyF1 + 2
	if err := s.KeyPress(keyF3); err != nil {
		t.Fatalf("F3: %v", err)
	}
	s.calm(t, "search", moved(before))
}
