package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sage/runtime/runtimetest"
)

// testBadRequests are refused before the engine hears of them.
func testBadRequests(t *testing.T, e *engine) {
	d := serve(t, e, nil)
	tests := []struct {
		name, uid, body string
		headers         []string
		status          int
		code            string
		// says is in the detail or in one of the mistakes.
		says string
	}{
		{name: "unknown app", body: `{"vm":"emacs"}`, status: 404, code: "unknown_app", says: "emacs"},
		{name: "unknown environment name", body: `{"vm":"desktop","env":{"LD_PRELOAD":"x"}}`, status: 422, code: "invalid_env", says: "LD_PRELOAD"},
		{name: "value that does not match", body: `{"vm":"desktop","env":{"SAGE_GEOMETRY":"huge"}}`, status: 422, code: "invalid_env", says: "SAGE_GEOMETRY"},
		{name: "wrong type of a value", body: `{"vm":"desktop","env":{"SAGE_GEOMETRY":7}}`, status: 422, code: "invalid_env", says: "SAGE_GEOMETRY"},
		{name: "wrong type of a field", body: `{"vm":["desktop"]}`, status: 422, code: "invalid_request", says: "string"},
		{name: "nothing known of the uid", body: `{}`, status: 404, code: "unknown_uid", says: "someone"},
		{name: "allocate without an app", uid: "allocate", body: `{}`, status: 422, code: "app_missing", says: "vm"},
		{name: "uid that climbs", uid: "../x", body: `{"vm":"desktop"}`, status: 400, code: "bad_path", says: ".."},
		{name: "uid that climbs, escaped", uid: "..%2fx", body: `{"vm":"desktop"}`, status: 400, code: "bad_path", says: ".."},
		{name: "empty uid", uid: "empty", body: `{"vm":"desktop"}`, status: 404, code: "no_such_call", says: "/api/vm/any/"},
		{name: "uid of 300 characters", uid: strings.Repeat("u", 300), body: `{"vm":"desktop"}`, status: 422, code: "invalid_uid", says: "300"},
		{name: "uid with spaces", uid: "some%20one", body: `{"vm":"desktop"}`, status: 422, code: "invalid_uid", says: "some one"},
		{name: "uid that is a pattern", uid: ".*", body: `{"vm":"desktop"}`, status: 422, code: "invalid_uid", says: ".*"},
		{name: "broken JSON", body: `{"vm":"desk`, status: 400, code: "bad_request", says: "unexpected end"},
		{name: "not JSON", body: `vm=desktop`, headers: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media_type", says: "content type"},
		{name: "2 MiB", body: `{"vm":"` + strings.Repeat("x", 2<<20) + `"}`, status: 413, code: "too_large", says: "large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			uid := tt.uid
			switch uid {
			case "":
				uid = "someone"
			case "empty":
				uid = ""
			}
			p := d.ask(t, http.MethodPost, "/api/vm/any/"+uid, tt.body, tt.headers...).refused(t, tt.status, tt.code)
			all := p.Detail
			for _, mistake := range p.Errors {
				all += "\n" + mistake.Location + " " + mistake.Message
			}
			if !strings.Contains(strings.ToLower(all), strings.ToLower(tt.says)) {
				t.Errorf("the answer does not say %q: %s", tt.says, all)
			}
		})
	}
	d.nothingLeft(t, "someone")
}

// nothingLeft checks that refused or failed starts of the uids left nothing.
func (d *daemon) nothingLeft(t *testing.T, uids ...string) {
	t.Helper()
	if list := d.e.containers(t.Context(), t, d.instance, ""); len(list) != 0 {
		t.Errorf("containers were left: %+v", list)
	}
	if saved := d.savedUIDs(); len(saved) != 0 {
		t.Errorf("settings were left: %v", saved)
	}
	for _, uid := range uids {
		d.know(uid)
		if d.e.hasVolume(t, d.volume(uid)) {
			t.Errorf("the volume %s was left", d.volume(uid))
		}
	}
	var list []string
	d.ask(t, http.MethodGet, "/api/vm/list", "").decode(t, &list)
	if len(list) != 0 {
		t.Errorf("the API lists %v", list)
	}
}

// smallCatalog writes a catalog of apps that need no desktop's image: vnc runs,
// exits ends at once, missing has no image.
func smallCatalog(t *testing.T, e *engine) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	content := fmt.Sprintf(`version: 1
apps:
  - id: vnc
    title: A small desktop
    image: %[1]s
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
    env: {TESTAPP_MODE: vnc}
  - id: exits
    title: A program that ends
    image: %[1]s
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
    env: {TESTAPP_MODE: exit, TESTAPP_CODE: "3"}
    home: {path: /home/app}
  - id: missing
    title: An image that does not exist
    image: localhost/sage/there-is-no-such-image:latest
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
    home: {path: /home/app}
`, runtimetest.TestImage(t, e.rt))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func testBadImages(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_CATALOG": smallCatalog(t, e)})
	t.Run("missing", func(t *testing.T) {
		d.know("nobody")
		p := d.ask(t, http.MethodPost, "/api/vm/any/nobody", `{"vm":"missing"}`).refused(t, http.StatusNotFound, "image_not_found")
		if !strings.Contains(p.Detail, "there-is-no-such-image") {
			t.Errorf("the image is not named: %s", p.Detail)
		}
		if p.Reason == nil || p.Reason.Phase != "image" {
			t.Errorf("the phase is not told: %+v", p.Reason)
		}
		d.nothingLeft(t, "nobody")
	})
	t.Run("ends at once", func(t *testing.T) {
		d.know("short")
		p := d.ask(t, http.MethodPost, "/api/vm/any/short", `{"vm":"exits"}`).refused(t, http.StatusBadGateway, "start_failed")
		if p.Reason == nil || p.Reason.ExitCode == nil || *p.Reason.ExitCode != 3 {
			t.Errorf("the exit code is not told: %+v", p.Reason)
		} else if !slices.Contains(p.Reason.Log, "testapp: a line on standard error") {
			t.Errorf("the program's last words are not told: %q", p.Reason.Log)
		}
		d.nothingLeft(t, "short")
	})
}

// testPortsTaken leaves no port of a small range.
func testPortsTaken(t *testing.T, e *engine) {
	first := strangers(t, 3, 0, 1, 2)
	d := serve(t, e, settings{
		"SAGE_CATALOG":     smallCatalog(t, e),
		"PORT_RANGE_START": fmt.Sprint(first), "PORT_RANGE_END": fmt.Sprint(first + 3),
	})
	d.know("late")
	a := d.ask(t, http.MethodPost, "/api/vm/any/late", `{"vm":"vnc"}`)
	p := a.refused(t, http.StatusServiceUnavailable, "ports_exhausted")
	if want := fmt.Sprintf("[%d, %d)", first, first+3); !strings.Contains(p.Detail, want) {
		t.Errorf("the range %s is not told: %s", want, p.Detail)
	}
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	d.nothingLeft(t, "late")
}

// testPortsSkipped lets strangers hold some ports of a range: the others are
// used, all of them, and no more.
func testPortsSkipped(t *testing.T, e *engine) {
	first := strangers(t, 6, 0, 1, 3)
	d := serve(t, e, settings{
		"SAGE_CATALOG":     smallCatalog(t, e),
		"PORT_RANGE_START": fmt.Sprint(first), "PORT_RANGE_END": fmt.Sprint(first + 6),
	})
	var used []int
	for _, uid := range []string{"one", "two", "three"} {
		s := d.start(t, uid, `{"vm":"vnc"}`)
		if _, err := d.watch(t, s.URL, "vnc").Capture(t.Context()); err != nil {
			t.Errorf("picture of %s: %v", uid, err)
		}
	}
	for _, c := range e.containers(t.Context(), t, d.instance, "") {
		c, err := e.rt.Inspect(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Ports {
			used = append(used, int(p.HostPort))
		}
	}
	slices.Sort(used)
	if want := []int{first + 2, first + 4, first + 5}; !slices.Equal(used, want) {
		t.Errorf("ports %v are used, want %v", used, want)
	}
	d.know("four")
	d.ask(t, http.MethodPost, "/api/vm/any/four", `{"vm":"vnc"}`).refused(t, http.StatusServiceUnavailable, "ports_exhausted")
}

// strangers finds a row of free ports and holds those at the given places of it
// until the test ends.
func strangers(t *testing.T, row int, places ...int) (first int) {
	t.Helper()
	const lowest, highest = 24100, 32000
	for first = lowest; first+row < highest; first += row {
		held := make([]net.Listener, 0, row)
		for port := first; port < first+row; port++ {
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				held = append(held, l)
			}
		}
		complete := len(held) == row
		for i, l := range held {
			if complete && slices.Contains(places, i) {
				t.Cleanup(func() { l.Close() })
				continue
			}
			l.Close()
		}
		if complete {
			return first
		}
	}
	t.Fatalf("no %d free ports in a row between %d and %d", row, lowest, highest)
	return 0
}
