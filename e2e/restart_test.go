package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest"
	"sage/runtime/runtimetest/testapp/app"
)

// smallCatalogWithHome writes a catalog of small desktops: "files" answers HTTP and
// keeps a home, "slow" takes its time to come up.
func smallCatalogWithHome(t *testing.T, e *engine) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	content := fmt.Sprintf(`version: 1
apps:
  - id: files
    title: A program with a home
    image: %[1]s
    endpoints: [{name: web, port: %[2]d, protocol: tcp}]
    home: {path: %[3]s}
    timeouts: {stop: 1s}
  - id: slow
    title: A program that comes up slowly
    image: %[1]s
    endpoints: [{name: web, port: %[2]d, protocol: tcp}]
    env: {TESTAPP_MODE: slow, TESTAPP_DELAY: 5s}
    timeouts: {stop: 1s}
`, runtimetest.TestImage(t, e.rt), app.HTTPPort, runtimetest.HomePath)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// within asks the program in a container.
func (e *engine) within(t *testing.T, c runtime.Container, method, target, body string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return e.rt.Dial(ctx, c.ID, app.HTTPPort)
		},
	}}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://container"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s in the container: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s in the container: %s %q, %v", method, target, resp.Status, text, err)
	}
	return string(text)
}

// testRestartDesktop: another container, the same home.
func testRestartDesktop(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_CATALOG": smallCatalogWithHome(t, e), "SAGE_MAX_DESKTOPS": "1"})
	d.ask(t, http.MethodPost, "/api/vm/alice/restart", "").refused(t, http.StatusNotFound, "unknown_uid")
	first := d.start(t, "alice", `{"vm":"files"}`)
	const path = runtimetest.HomePath + "/kept"
	before := e.containers(t.Context(), t, d.instance, "alice")
	e.within(t, before[0], http.MethodPost, "/write?path="+path, "what a person did")
	a := d.ask(t, http.MethodPost, "/api/vm/alice/restart", "")
	var again started
	a.decode(t, &again)
	if a.status != http.StatusOK || again.UID != "alice" || again.URL == "" || again.URL == first.URL {
		t.Fatalf("restart: status %d: %s", a.status, a.body)
	}
	after := e.containers(t.Context(), t, d.instance, "")
	if len(after) != 1 || after[0].ID == before[0].ID {
		t.Fatalf("containers %+v before and %+v after", before, after)
	}
	if got := e.within(t, after[0], http.MethodGet, "/read?path="+path, ""); got != "what a person did" {
		t.Errorf("the home has %q", got)
	}
}
