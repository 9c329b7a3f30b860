package e2e_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sage/runtime/runtimetest"
)

// testBrowser uses the page with a real browser; see browser/page.mjs.
func testBrowser(t *testing.T, e *engine) {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	need(t, chromium, "install Debian's chromium, or set CHROMIUM")
	node := need(t, "node", "install Node.js")
	need(t, "browser/node_modules/playwright-core/package.json", "run npm ci in e2e/browser")

	d := serve(t, e, settings{"CONTAINER_NO_CLIENT_TIMEOUT": "30s"})
	if a := d.ask(t, http.MethodGet, "/", ""); a.status != http.StatusOK {
		t.Fatalf("the page is not built into the program: run npm ci and npm run build in web, then build it again (status %d: %s)", a.status, a.body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "browser/page.mjs", d.address)
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium, envArtifacts+"="+artifacts(t))
	cmd.WaitDelay = 10 * time.Second
	// It ends its browser when it is asked to.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the browser's test: %v", err)
	}
	for uid := range d.knownUIDs() {
		e.awaitGone(t, d.instance, uid)
	}
}

// artifacts is where this test's pictures go; empty for nowhere.
func artifacts(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(envArtifacts)
	if dir == "" {
		return ""
	}
	dir = absolute(t, filepath.Join(dir, filepath.Base(filepath.Dir(t.Name()))+"-browser"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// need finds a program or a file. Without it the test is skipped, or fails
// where the engines of the run are named, since nothing may be left out then.
func need(t *testing.T, what, mend string) string {
	t.Helper()
	path, err := exec.LookPath(what)
	if err != nil {
		if _, statErr := os.Stat(what); statErr == nil {
			return what
		}
		if os.Getenv(runtimetest.EnvEngines) != "" {
			t.Fatalf("%s is missing: %s", what, mend)
		}
		t.Skipf("%s is missing: %s", what, mend)
	}
	return path
}
