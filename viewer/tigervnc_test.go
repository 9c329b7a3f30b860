package viewer_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"sage/rfb"
	"sage/rfb/rfbtest"
	"sage/viewer"
)

func TestRealServerThroughAViewer(t *testing.T) {
	for _, password := range []string{"", "sesame42"} {
		t.Run(fmt.Sprintf("password %q", password), func(t *testing.T) {
			server := rfbtest.Start(t, password)
			server.Paint(t, 640, 480)
			desk := viewer.NewDesk(viewer.Options{Password: password})
			var want []byte
			for _, clipboard := range []viewer.Clipboard{viewer.ClipboardBoth, viewer.ClipboardNone} {
				for _, e := range []rfb.Encoding{rfb.EncodingRaw, rfb.EncodingZRLE, rfb.EncodingTight} {
					conn, _ := through(t, desk, viewer.Policy{Clipboard: clipboard}, server)
					c, err := rfb.NewClient(t.Context(), conn, rfb.Options{Encodings: []rfb.Encoding{e}})
					if err != nil {
						t.Fatal(err)
					}
					m, err := c.Capture(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if want == nil {
						want = m.Pix
					}
					if !bytes.Equal(m.Pix, want) {
						t.Errorf("%v, clipboard %v: other pixels", e, clipboard)
					}
				}
			}
		})
	}
}

func TestRealServerRefuses(t *testing.T) {
	server := rfbtest.Start(t, "sesame42")
	_, broken := through(t, viewer.NewDesk(viewer.Options{Password: "another"}), viewer.Policy{}, server)
	var pe *rfb.PasswordError
	if err := <-broken; !errors.As(err, &pe) {
		t.Errorf("error %v", err)
	}
}

func TestRealViewOnly(t *testing.T) {
	eyes := rfbtest.Need(t, "xev", "x11-utils")
	server := rfbtest.Start(t, "")
	events := server.Run(t, eyes, "-geometry", "640x480+0+0")
	next := func(prefixes ...string) string {
		for {
			line, err := events.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range prefixes {
				if strings.HasPrefix(line, p) {
					return line
				}
			}
		}
	}
	next("Expose")
	desk := viewer.NewDesk(viewer.Options{})
	watch := func(p viewer.Policy) *watcher {
		conn, _ := through(t, desk, p, server)
		return watch(t, conn)
	}
	control, looker := watch(viewer.Policy{}), watch(viewer.Policy{ViewOnly: true})
	press := func(w *watcher, x byte, letter byte) {
		for _, down := range []byte{1, 0} {
			w.send([]byte{5, down, 0, x, 0, 50}, []byte{4, down, 0, 0, 0, 0, 0, letter}, []byte{255, 0, 0, down, 0, 0, 0, letter, 0, 0, 0, 30})
		}
		w.barrier()
	}
	press(looker, 77, 'a')
	if !desk.LastInput().IsZero() {
		t.Error("the looker's input counts")
	}
	press(control, 88, 'b')
	seen := strings.Builder{}
	for !strings.Contains(seen.String(), "keysym 0x62") {
		next("MotionNotify", "ButtonPress", "KeyPress", "EnterNotify")
		for range 3 {
			line, _ := events.ReadString('\n')
			seen.WriteString(line)
		}
	}
	if strings.Contains(seen.String(), "keysym 0x61") || strings.Contains(seen.String(), "(77,50)") {
		t.Errorf("the looker's input came through:\n%s", seen.String())
	}
	if !strings.Contains(seen.String(), "(88,50)") {
		t.Errorf("the other one's pointer did not come through:\n%s", seen.String())
	}
}

func TestRealSizes(t *testing.T) {
	server := rfbtest.Start(t, "", "-AcceptSetDesktopSize=1")
	desk := viewer.NewDesk(viewer.Options{})
	join := func() (*watcher, net.Conn) {
		conn, _ := through(t, desk, viewer.Policy{}, server)
		w := watch(t, conn, rfb.EncodingExtendedDesktopSize, rfb.EncodingDesktopSize)
		w.barrier()
		return w, conn
	}
	observer := watch(t, server.Dial(t), rfb.EncodingExtendedDesktopSize, rfb.EncodingDesktopSize)
	sizes := make(chan []string, 1)
	go func() {
		var seen []string
		defer func() { sizes <- seen }()
		request := []byte{3, 0, 0, 0, 0, 0, 0, 1, 0, 1}
		observer.send(request)
		request[1] = 1
		for h := range observer.said {
			if h.kind != rfb.MsgFramebufferUpdate {
				continue
			}
			rectangles(h, func(_, _, w, ht int, e rfb.Encoding) {
				if e == rfb.EncodingExtendedDesktopSize {
					seen = append(seen, fmt.Sprintf("%dx%d", w, ht))
				}
			})
			if len(seen) > 0 && seen[len(seen)-1] == "801x601" {
				return
			}
			observer.send(request)
		}
	}()
	a, ac := join()
	b, _ := join()
	// told waits for the server's answer to this client's request and gives it.
	told := func(w *watcher) (width, height, status int) {
		request := []byte{3, 1, 0, 0, 0, 0, 0, 1, 0, 1}
		w.send(request)
		w.until("an answer", func(h heard) (answered bool) {
			if h.kind != rfb.MsgFramebufferUpdate {
				return false
			}
			w.send(request)
			rectangles(h, func(x, y, wd, ht int, e rfb.Encoding) {
				if e == rfb.EncodingExtendedDesktopSize && x == 1 {
					width, height, status, answered = wd, ht, y, true
				}
			})
			return answered
		})
		return width, height, status
	}
	expect := func(who string, w *watcher, width, height int) {
		t.Helper()
		if gw, gh, status := told(w); gw != width || gh != height || status != 0 {
			t.Errorf("%s is told %dx%d, status %d, want %dx%d", who, gw, gh, status, width, height)
		}
	}
	var burst []byte
	for i := range uint16(20) {
		burst = append(burst, realSize(700+i, 500)...)
	}
	a.send(burst)
	expect("the holder", a, 719, 500)
	b.send(realSize(800, 600))
	expect("the other", b, 719, 500)
	b.send(realSize(801, 601)) // It insists.
	expect("the other", b, 719, 500)
	b.send(realSize(801, 601)) // Not answered until there is something new.
	a.send(realSize(900, 650))
	expect("the holder", a, 900, 650)
	expect("the other", b, 900, 650)
	_ = ac.Close()
	expect("the one that took over", b, 801, 601)

	seen := <-sizes
	t.Logf("who only watches was told %v", seen)
	if got, want := slices.Compact(seen), []string{"640x480", "719x500", "900x650", "801x601"}; !slices.Equal(got, want) {
		t.Errorf("sizes were %v, want %v", got, want)
	}
}

// realSize is a SetDesktopSize with the screen that Xtigervnc has, whose number is 0.
func realSize(w, h uint16) []byte {
	b := size(w, h)
	copy(b[8:], []byte{0, 0, 0, 0})
	return b
}

func TestRealClipboard(t *testing.T) {
	server := rfbtest.Start(t, "")
	desk := viewer.NewDesk(viewer.Options{})
	free := watch(t, server.Dial(t))
	free.barrier()
	for _, c := range []viewer.Clipboard{viewer.ClipboardBoth, viewer.ClipboardIn, viewer.ClipboardOut, viewer.ClipboardNone} {
		t.Run(c.String(), func(t *testing.T) {
			in := c == viewer.ClipboardBoth || c == viewer.ClipboardIn
			out := c == viewer.ClipboardBoth || c == viewer.ClipboardOut
			conn, _ := through(t, desk, viewer.Policy{Clipboard: c}, server)
			w := watch(t, conn)
			w.barrier()
			copied := "from the desktop, " + c.String()
			holds := func(h heard) bool { return h.kind == rfb.MsgServerCutText && bytes.Contains(h.data, []byte(copied)) }
			server.Copy(t, copied)
			free.until("the text", holds) // The server gives it to all of its clients at once.
			if got := slices.ContainsFunc(w.barrier(), holds); got != out {
				t.Errorf("the desktop's text came: %v, want %v", got, out)
			}
			want, typed := copied, "from the viewer, "+c.String()
			if in {
				want = typed
			}
			w.send(cutText(6, typed))
			w.barrier()
			if got := server.Paste(t); got != want {
				t.Errorf("the desktop has %q, want %q", got, want)
			}
		})
	}
}

// TestRealExtendedClipboard does the talk that leads to a text, in the direction that is allowed.
func TestRealExtendedClipboard(t *testing.T) {
	server := rfbtest.Start(t, "")
	desk := viewer.NewDesk(viewer.Options{})
	action := func(flags uint32) func(heard) bool {
		return func(h heard) bool {
			return h.kind == rfb.MsgServerCutText && len(h.data) >= 12 && binary.BigEndian.Uint32(h.data[8:])&flags != 0
		}
	}
	start := func(c viewer.Clipboard) *watcher {
		conn, _ := through(t, desk, viewer.Policy{Clipboard: c}, server)
		w := watch(t, conn, rfb.EncodingExtendedClipboard)
		w.until("what the server can do", action(1<<24))
		w.send(extended(6, caps, "\x00\x00\x00\x00"))
		w.barrier()
		return w
	}
	deflated := func(text string) string {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text)+1)), text+"\x00"...))
		_ = z.Close()
		return b.String()
	}
	in, out := start(viewer.ClipboardIn), start(viewer.ClipboardOut)
	server.Copy(t, "from the desktop")
	out.until("word of a text", action(1<<27))
	out.send(extended(6, request, ""))
	out.until("the text", action(1<<28))
	for _, h := range in.barrier() {
		if h.kind == rfb.MsgServerCutText {
			t.Errorf("the desktop said %x", h.data)
		}
	}

	in.send(extended(6, notify, ""))
	in.barrier()
	pasted := make(chan string)
	go func() { pasted <- server.Paste(t) }()
	in.until("a request for the text", action(1<<25))
	in.send(extended(6, provide, deflated("from the viewer")))
	if got := <-pasted; got != "from the viewer" {
		t.Errorf("the desktop has %q", got)
	}
	out.send(extended(6, notify, ""), extended(6, provide, deflated("from another viewer")))
	out.barrier()
	go func() { pasted <- server.Paste(t) }()
	if got := <-pasted; got != "from the viewer" {
		t.Errorf("the desktop has %q", got)
	}
}
