package e2e_test

import (
	"fmt"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/runtime/runtimetest"
)

// testDrain: a daemon that is asked to end lets its clients finish.
func testDrain(t *testing.T, e *engine) {
	own := func(more settings) settings {
		more["SAGE_CATALOG"] = smallCatalog(t, e)
		return more
	}
	t.Run("clients end it", func(t *testing.T) {
		d := serve(t, e, own(settings{"SAGE_DRAIN_TIMEOUT": "10m"}))
		s := d.start(t, "alice", `{"vm":"vnc"}`)
		view := d.watch(t, s.URL, "vnc")
		before, err := view.Capture(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.signal(syscall.SIGTERM)
		d.awaitUnready(t)
		for _, call := range []struct{ method, path, body string }{
			{http.MethodGet, "/readyz", ""},
			{http.MethodPost, "/api/vm/any/bob", `{"vm":"vnc"}`},
		} {
			a := d.ask(t, call.method, call.path, call.body)
			a.refused(t, http.StatusServiceUnavailable, "shutting_down")
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s has no Retry-After", call.path)
			}
		}
		for _, path := range []string{"/healthz", "/api/vm/ws/alice"} {
			if a := d.ask(t, http.MethodGet, path, ""); a.status != http.StatusOK {
				t.Errorf("GET %s: status %d: %s", path, a.status, a.body)
			}
		}
		address := "ws" + strings.TrimPrefix(d.address, "http") + s.URL + "/vnc"
		if _, resp, err := websocket.Dial(t.Context(), address, nil); err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a new stream: %v, %s", err, status(resp))
		}
		view.typeText(t, "x") // Who is connected goes on working.
		view.await(t, "typed", func(img *image.RGBA) bool { return changed(before, img) > 0 })
		if err := view.Close(); err != nil {
			t.Error(err)
		}
		d.awaitEnd(t, 0)
		if list := e.containers(t.Context(), t, d.instance, "alice"); len(list) != 1 {
			t.Errorf("%d containers are left, want the one", len(list))
		}
		d.run()
		if again := d.start(t, "alice", `{}`); again.URL != s.URL {
			t.Errorf("a start gives %q, want %q", again.URL, s.URL)
		}
	})
	t.Run("what is under way is finished", func(t *testing.T) {
		d := serve(t, e, settings{"SAGE_DRAIN_TIMEOUT": "10m", "SAGE_CATALOG": slowCatalog(t, e)})
		d.start(t, "alice", `{"vm":"ends-slowly"}`)
		d.know("bob")
		started := d.askSoon(t, http.MethodPost, "/api/vm/any/bob", `{"vm":"starts-slowly"}`)
		stopped := d.askSoon(t, http.MethodDelete, "/api/vm/alice", "")
		d.awaitState(t, "bob", "starting", "ready")
		d.awaitState(t, "alice", "stopping", "")
		d.signal(syscall.SIGTERM)
		if a := <-started; a.status != http.StatusOK {
			t.Errorf("the start: status %d: %s", a.status, a.body)
		}
		if a := <-stopped; a.status != http.StatusNoContent {
			t.Errorf("the stop: status %d: %s", a.status, a.body)
		}
		d.awaitEnd(t, 0)
		for uid, want := range map[string]int{"alice": 0, "bob": 1} {
			if list := e.containers(t.Context(), t, d.instance, uid); len(list) != want {
				t.Errorf("%d containers of %s are left, want %d", len(list), uid, want)
			}
		}
	})
	t.Run("time ends it", func(t *testing.T) {
		d := serve(t, e, own(settings{"SAGE_DRAIN_TIMEOUT": "1s"}))
		view := d.watch(t, d.start(t, "alice", `{"vm":"vnc"}`).URL, "vnc")
		d.signal(syscall.SIGTERM)
		d.awaitEnd(t, 0)
		if _, err := view.Capture(t.Context()); err == nil {
			t.Error("the stream goes on")
		}
	})
	t.Run("a second signal ends it", func(t *testing.T) {
		d := serve(t, e, own(settings{"SAGE_DRAIN_TIMEOUT": "1h"}))
		d.watch(t, d.start(t, "alice", `{"vm":"vnc"}`).URL, "vnc")
		d.signal(syscall.SIGINT)
		d.awaitUnready(t)
		d.signal(syscall.SIGINT)
		d.awaitEnd(t, 0)
	})
	t.Run("desktops are stopped on request", func(t *testing.T) {
		d := serve(t, e, own(settings{"SAGE_STOP_DESKTOPS": "true"}))
		for _, uid := range []string{"alice", "bob", "carol"} {
			d.start(t, uid, `{"vm":"vnc"}`)
		}
		d.signal(syscall.SIGTERM)
		d.awaitEnd(t, 0)
		if list := e.containers(t.Context(), t, d.instance, ""); len(list) != 0 {
			t.Errorf("%d containers are left", len(list))
		}
	})
}

// slowCatalog writes a catalog of desktops that take their time.
func slowCatalog(t *testing.T, e *engine) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	content := fmt.Sprintf(`version: 1
apps:
  - id: starts-slowly
    title: It listens late
    image: %[1]s
    endpoints: [{name: echo, port: 7000, protocol: tcp}]
    env: {TESTAPP_MODE: slow, TESTAPP_DELAY: 5s}
  - id: ends-slowly
    title: It does not want to end
    image: %[1]s
    endpoints: [{name: echo, port: 7000, protocol: tcp}]
    env: {TESTAPP_MODE: stubborn}
    timeouts: {stop: 5s}
`, runtimetest.TestImage(t, e.rt))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// askSoon makes a call and does not wait for its answer.
func (d *daemon) askSoon(t *testing.T, method, path, body string) <-chan answer {
	t.Helper()
	answers := make(chan answer, 1)
	go func() {
		a, err := d.call(t.Context(), method, path, body)
		if err != nil {
			a.body = err.Error()
		}
		answers <- a
	}()
	return answers
}

// awaitState waits until a uid's desktop is in one of the states; the empty one
// is that there is none.
func (d *daemon) awaitState(t *testing.T, uid string, states ...string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var desktop struct {
			State string `json:"state"`
		}
		a := d.ask(t, http.MethodGet, "/api/vm/"+uid, "")
		if a.status == http.StatusOK {
			a.decode(t, &desktop)
		}
		if slices.Contains(states, desktop.State) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is in none of the states %q within a minute: %s", uid, states, a.body)
		}
		time.Sleep(lookInterval)
	}
}

// signal tells the process something without waiting for what it does.
func (d *daemon) signal(signal os.Signal) {
	d.t.Helper()
	if err := d.process.Signal(signal); err != nil {
		d.t.Fatalf("signal sage: %v", err)
	}
}

// awaitUnready waits until the daemon says that it is not ready.
func (d *daemon) awaitUnready(t *testing.T) {
	t.Helper()
	await(t, time.Minute, "sage is not ready", func() bool { return d.ask(t, http.MethodGet, "/readyz", "").status != http.StatusOK })
}

// awaitEnd waits until the process has ended by itself.
func (d *daemon) awaitEnd(t *testing.T, code int) {
	t.Helper()
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		t.Fatal("sage did not end within a minute")
	}
	d.process = nil
	if got := d.exit.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
}
