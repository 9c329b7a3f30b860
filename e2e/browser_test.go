package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sage/runtime/runtimetest"
)

// testBrowser uses the page with a real browser; each program below browser says
// what it does.
func testBrowser(t *testing.T, e *engine) {
	b := findBrowser(t)
	own := settings{"CONTAINER_NO_CLIENT_TIMEOUT": "90s"}
	t.Run("desktop", func(t *testing.T) { b.use(t, serve(t, e, own), "desktop.mjs") })
	t.Run("lists", func(t *testing.T) { b.use(t, serve(t, e, own), "lists.mjs") })
	t.Run("sharing", func(t *testing.T) { b.use(t, serve(t, e, own), "sharing.mjs") })
	t.Run("sound", func(t *testing.T) { b.use(t, serve(t, e, own), "sound.mjs") })
	t.Run("touch", func(t *testing.T) { b.use(t, serve(t, e, own), "touch.mjs") })
	t.Run("full", func(t *testing.T) {
		const token = "open-sesame-open-sesame"
		d := serve(t, e, settings{"SAGE_CATALOG": smallCatalog(t, e), "SAGE_MAX_DESKTOPS": "1", "SAGE_API_TOKEN": token})
		b.use(t, d, "full.mjs", token)
	})
	t.Run("failing", func(t *testing.T) {
		b.use(t, serve(t, e, settings{"SAGE_CATALOG": smallCatalog(t, e)}), "failing.mjs")
	})
}

// browser is what the programs below browser need.
type browser struct{ node, chromium string }

func findBrowser(t *testing.T) browser {
	t.Helper()
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	need(t, "browser/node_modules/playwright-core/package.json", "run npm ci in e2e/browser")
	return browser{
		node:     need(t, "node", "install Node.js"),
		chromium: need(t, chromium, "install Debian's chromium, or set CHROMIUM"),
	}
}

// use runs a program with the page of a daemon. A line RESTART of it asks to
// kill the daemon and to start it again; it is answered with the new address.
func (b browser) use(t *testing.T, d *daemon, program string, args ...string) {
	t.Helper()
	if a := d.ask(t, http.MethodGet, "/", ""); a.status != http.StatusOK {
		t.Fatalf("the page is not built into the program: run npm ci and npm run build in web, then build it again (status %d: %s)", a.status, a.body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.node, append([]string{"browser/" + program, d.address}, args...)...)
	cmd.Env = append(os.Environ(), "CHROMIUM="+b.chromium, envArtifacts+"="+artifacts(t))
	cmd.WaitDelay = 10 * time.Second
	// It ends its browser when it is asked to.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = logWriter{t}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if lines.Text() != "RESTART" {
			t.Log(lines.Text())
			continue
		}
		d.end(syscall.SIGKILL)
		d.run()
		if _, err := fmt.Fprintln(stdin, d.address); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the browser's test %s: %v", program, err)
	}
}

// logWriter writes to a test's log.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// artifacts is where this test's pictures go; empty for nowhere.
func artifacts(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(envArtifacts)
	if dir == "" {
		return ""
	}
	dir = absolute(t, filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(t.Name(), "TestEngines/"), "/", "-")))
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
