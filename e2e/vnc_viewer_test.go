package e2e_test

import (
	"context"
	"fmt"
	"image"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/rfb/rfbtest"
)

// testVNCViewers looks at desktops with a VNC viewer program as people have it, for
// each way in which Sage takes VNC to them, with a password between Sage and the
// desktop and without.
func testVNCViewers(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_CATALOG": viewingCatalog(t)})
	for _, app := range []string{"open", "locked"} {
		for _, endpoint := range []string{"vnc", "websockify"} {
			t.Run(app+" "+endpoint, func(t *testing.T) { testVNCViewer(t, d, app, endpoint) })
		}
	}
}

func testVNCViewer(t *testing.T, d *daemon, app, endpoint string) {
	// It fits onto the viewer's screen.
	s := d.start(t, "allocate", `{"vm":"`+app+`","env":{"SAGE_GEOMETRY":"800x600"}}`)
	v := startVNCViewer(t, d.bridge(t, s.URL, endpoint))
	v.await(t, "first", showsTerminal)

	v.do(t, "type", "--delay", "30", strings.TrimSuffix(paintTerminal(201), "\n"))
	v.do(t, "key", "Return")
	v.await(t, "painted", painted(magenta()))
	if live := d.screenshot(t, s.UID, "", true); !painted(magenta())(live) || live.Rect.Size() != image.Pt(800, 600) {
		t.Errorf("the desktop itself is %v, %.2f of it magenta", live.Rect.Size(), share(live, magenta()))
	}

	resized := image.Pt(640, 420)
	v.do(t, "windowsize", v.window, fmt.Sprint(resized.X), fmt.Sprint(resized.Y))
	deadline := time.Now().Add(pictureLimit)
	for {
		size := d.screenshot(t, s.UID, "", true).Rect.Size()
		if size == resized {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the desktop is %v after the viewer's window became %v", size, resized)
		}
		time.Sleep(pictureInterval)
	}
	v.await(t, "resized", func(img *image.RGBA) bool {
		const pointer = 1500 // pixels, with a cursor that blinks
		return changed(crop(img, image.Rectangle{Max: resized}), d.screenshot(t, s.UID, "", true)) < pointer
	})
}

// vncViewer is TigerVNC's viewer on a screen of its own.
type vncViewer struct {
	display string
	window  string // As X numbers it.
}

// startVNCViewer runs the viewer until the test ends, and waits for its window.
func startVNCViewer(t *testing.T, address *net.TCPAddr) *vncViewer {
	t.Helper()
	v := &vncViewer{display: rfbtest.StartXvfb(t)}
	rfbtest.RunOn(t, v.display, rfbtest.Need(t, "xtigervncviewer", "tigervnc-viewer"),
		"-RemoteResize=1", "-Shared", "-SecurityTypes=None", "-NoJPEG=1", fmt.Sprintf("%s::%d", address.IP, address.Port))
	// A window comes before the desktop's, and goes.
	v.window = strings.TrimSpace(v.do(t, "search", "--sync", "--onlyvisible", "--name", "Sage"))
	v.do(t, "windowmove", v.window, "0", "0")
	v.do(t, "windowfocus", "--sync", v.window)
	return v
}

// do has xdotool act on the viewer's screen, and gives what it says.
func (v *vncViewer) do(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, rfbtest.Need(t, "xdotool", "xdotool"), args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+v.display)
	out, err := cmd.CombinedOutput()
	if err != nil {
		keep(t, rfbtest.Screenshot(t, v.display), "viewer-failed")
		t.Fatalf("xdotool %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// await looks at the viewer's screen until it is right.
func (v *vncViewer) await(t *testing.T, name string, right func(*image.RGBA) bool) {
	t.Helper()
	deadline := time.Now().Add(pictureLimit)
	for {
		img := rfbtest.Screenshot(t, v.display)
		if right(img) {
			keep(t, img, name)
			return
		}
		if time.Now().After(deadline) {
			keep(t, img, name+"-failed")
			t.Fatalf("%s: the viewer's screen is not right: %+v", name, lookAt(img))
		}
		time.Sleep(pictureInterval)
	}
}

// bridge lets a program that speaks plain VNC over TCP come to a stream: it passes
// on what is in the WebSocket's messages.
func (d *daemon) bridge(t *testing.T, url, endpoint string) *net.TCPAddr {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		_ = ln.Close()
		all.Wait()
	})
	address := "ws" + strings.TrimPrefix(d.address, "http") + url + "/" + endpoint
	all.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer near.Close()
				ws, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{"binary"}})
				if err != nil {
					t.Errorf("bridge to %s: %v", address, err)
					return
				}
				far := websocket.NetConn(ctx, ws, websocket.MessageBinary)
				stop := context.AfterFunc(ctx, func() { _ = near.Close() })
				defer stop()
				var up sync.WaitGroup
				up.Go(func() {
					_, _ = io.Copy(far, near)
					_ = far.Close()
				})
				_, _ = io.Copy(near, far)
				_ = near.Close()
				up.Wait()
			})
		}
	})
	return ln.Addr().(*net.TCPAddr)
}
