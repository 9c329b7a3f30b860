package rfb_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/rfb/rfbtest"
)

// TestRecord makes the recordings of testdata anew, of Debian's TigerVNC viewer and of noVNC in Chromium:
//
//	SAGE_RECORD=1 go test -count 1 -run TestRecord ./rfb
//
// It needs the packages of scripts/setup.sh test, and web/node_modules and e2e/browser/node_modules.
func TestRecord(t *testing.T) {
	if os.Getenv("SAGE_RECORD") == "" {
		t.Skip("SAGE_RECORD is not set: the recordings are there")
	}
	t.Run("tigervnc", func(t *testing.T) {
		server := rfbtest.Start(t, "", "-geometry", "320x240")
		server.Paint(t, 320, 240)
		ln := listen(t)
		var tape *tape
		recorded := make(chan struct{})
		go func() {
			defer close(recorded)
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tape = record(conn, server.Dial(t))
		}()
		screen := rfbtest.StartXvfb(t)
		port := ln.Addr().(*net.TCPAddr).Port
		viewer := rfbtest.RunOn(t, screen, rfbtest.Need(t, "xtigervncviewer", "tigervnc-viewer"),
			"-RemoteResize=1", "-Shared", fmt.Sprintf("127.0.0.1::%d", port))
		do := func(args ...string) {
			t.Helper()
			cmd := exec.Command(rfbtest.Need(t, "xdotool", "xdotool"), args...)
			cmd.Env = append(os.Environ(), "DISPLAY="+screen)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("xdotool %v: %v\n%s", args, err, out)
			}
		}
		// The program's own window comes first, and then the desktop's, which is named after it.
		do("search", "--sync", "--onlyvisible", "--name", "TigerVNC", "windowfocus", "--sync", "windowmove", "0", "0")
		time.Sleep(time.Second) // For a person, too, a moment passes.
		for i := range 20 {
			do("mousemove", fmt.Sprint(10+12*i), fmt.Sprint(20+7*i))
		}
		for _, button := range []string{"1", "2", "3", "4", "5", "6", "7"} {
			do("click", button)
		}
		do("type", "Hello, Welt!")
		do("key", "ctrl+shift+F5")
		(&rfbtest.Server{Display: screen}).Copy(t, "a text, with ümlauts")
		time.Sleep(time.Second)
		server.Copy(t, "a text of the desktop")
		do("search", "--onlyvisible", "--name", "TigerVNC", "windowsize", "400", "300")
		time.Sleep(2 * time.Second)
		_ = viewer.Process.Kill()
		<-recorded
		tape.save(t, "tigervnc")
	})
	t.Run("novnc", func(t *testing.T) {
		server := rfbtest.Start(t, "", "-geometry", "320x240")
		server.Paint(t, 320, 240)
		tapes := make(chan *tape, 1)
		mux := http.NewServeMux()
		mux.Handle("/core/", http.FileServer(http.Dir("../web/node_modules/@novnc/novnc")))
		mux.Handle("/vendor/", http.FileServer(http.Dir("../web/node_modules/@novnc/novnc")))
		mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `<!doctype html><style>body{margin:0}#s{height:100vh}</style><div id=s></div><script type=module>
import RFB from "/core/rfb.js";
window.rfb = new RFB(document.querySelector("#s"), "ws://" + location.host + "/ws", { shared: true });
window.rfb.resizeSession = true;
window.rfb.addEventListener("connect", () => (window.connected = true));
</script>`)
		})
		mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"binary"}})
			if err != nil {
				return
			}
			ws.SetReadLimit(-1)
			tapes <- record(websocket.NetConn(context.Background(), ws, websocket.MessageBinary), server.Dial(t))
		})
		site := httptest.NewServer(mux)
		defer site.Close()
		if out, err := exec.Command("node", "../e2e/browser/novnc.mjs", site.URL).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		(<-tapes).save(t, "novnc")
	})
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// tape is what both sides of a connection said.
type tape struct{ client, server bytes.Buffer }

// record passes everything on between two connections until one ends, and keeps it.
func record(client, server net.Conn) *tape {
	t := new(tape)
	var both sync.WaitGroup
	pass := func(to, from net.Conn, keep *bytes.Buffer) {
		_, _ = io.Copy(io.MultiWriter(to, keep), from)
		_ = to.Close()
		_ = from.Close()
	}
	both.Go(func() { pass(server, client, &t.client) })
	both.Go(func() { pass(client, server, &t.server) })
	both.Wait()
	return t
}

func (r *tape) save(t *testing.T, name string) {
	t.Helper()
	// What comes before the messages, of version 3.8 with security None.
	const clientHandshake, serverHandshake = 12 + 1 + 1, 12 + 2 + 4 + 24
	client, server := r.client.Bytes(), r.server.Bytes()
	if len(client) < clientHandshake || len(server) < serverHandshake {
		t.Fatalf("only %d and %d bytes were said", len(client), len(server))
	}
	nameLength := int(server[serverHandshake-1])
	for side, b := range map[string][]byte{"client": client[clientHandshake:], "server": server[serverHandshake+nameLength:]} {
		var packed bytes.Buffer
		z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		_, _ = z.Write(b)
		_ = z.Close()
		if err := os.WriteFile(filepath.Join("testdata", name+"."+side+".gz"), packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes of the %s, %d packed", name, len(b), side, packed.Len())
	}
}
