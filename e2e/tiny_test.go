package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/runtime"
	"sage/runtime/runtimetest"
)

const (
	// labelBaseName tells daemons of one instance apart.
	labelBaseName = "io.sage.base-name"
	// startTiny asks for a desktop that weighs next to nothing, startTinyHome for
	// one that has a home.
	startTiny, startTinyHome = `{"vm":"tiny"}`, `{"vm":"tiny-home"}`
	// tinyAtOnce is how many of them are started or stopped at the same time.
	tinyAtOnce = 4
	// settleLimit bounds the wait for a daemon and its engine to agree.
	settleLimit = 2 * time.Minute
)

// tinyCatalog writes a catalog of the two.
func tinyCatalog(t *testing.T, e *engine) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	content := fmt.Sprintf(`version: 1
apps:
  - id: tiny
    title: A tiny desktop
    image: %[1]s
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
    env: {TESTAPP_MODE: vnc}
    limits: {cpus: 1, memory: 64m, pids: 64, shm: 1m}
    timeouts: {stop: 1s}
  - id: tiny-home
    title: A tiny desktop with a home
    image: %[1]s
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
    env: {TESTAPP_MODE: vnc}
    limits: {cpus: 1, memory: 64m, pids: 64, shm: 1m}
    timeouts: {stop: 1s}
    home: {path: /home/app}
`, runtimetest.TestImage(t, e.rt))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// uids are names with a number.
func uids(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%02d", prefix, i)
	}
	return names
}

// startAll starts the uids' desktops, a few at a time, all of which must come. It
// gives their addresses in the same order.
func (d *daemon) startAll(t *testing.T, body string, uids []string) []string {
	t.Helper()
	urls := make([]string, len(uids))
	var work errgroup.Group
	work.SetLimit(tinyAtOnce)
	for i, uid := range uids {
		d.know(uid)
		work.Go(func() error {
			a, err := d.call(t.Context(), http.MethodPost, "/api/vm/any/"+uid, body)
			if err == nil {
				urls[i], err = a.startedURL()
			}
			if err != nil {
				return fmt.Errorf("start of %s: %w", uid, err)
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
	return urls
}

// startedURL is the address in the answer of a start.
func (a answer) startedURL() (string, error) {
	if a.status != http.StatusOK {
		return "", fmt.Errorf("status %d: %s", a.status, a.body)
	}
	var s started
	err := json.Unmarshal([]byte(a.body), &s)
	return s.URL, err
}

// stopAll takes the uids' desktops away; homes and settings stay.
func (d *daemon) stopAll(t *testing.T, uids []string) {
	t.Helper()
	var work errgroup.Group
	work.SetLimit(tinyAtOnce)
	for _, uid := range uids {
		work.Go(func() error {
			a, err := d.call(t.Context(), http.MethodDelete, "/api/vm/"+uid, "")
			if err != nil || a.status != http.StatusNoContent {
				t.Errorf("stop of %s: %v, status %d: %s", uid, err, a.status, a.body)
			}
			return nil
		})
	}
	_ = work.Wait()
}

// greets opens a desktop, gets a picture and leaves.
func (d *daemon) greets(t *testing.T, uid, url string) {
	t.Helper()
	view := d.watch(t, url, "vnc")
	if _, err := view.Capture(t.Context()); err != nil {
		t.Errorf("picture of %s: %v", uid, err)
	}
	if err := view.Close(); err != nil {
		t.Errorf("leave %s: %v", uid, err)
	}
}

// list gives the uids that the daemon says run, in order.
func (d *daemon) list(t *testing.T) []string {
	t.Helper()
	var running []string
	d.ask(t, http.MethodGet, "/api/vm/list", "").decode(t, &running)
	return running
}

// containerOf gives the container of every uid of a daemon. Two of one uid are a
// failure.
func (d *daemon) containerOf(t *testing.T) map[string]runtime.ID {
	t.Helper()
	found := map[string]runtime.ID{}
	for _, c := range d.ownContainers(t) {
		uid := c.Labels[labelUID]
		if found[uid] != "" {
			t.Errorf("%s has two containers", uid)
		}
		found[uid] = c.ID
	}
	return found
}

// ownContainers are those of the daemon alone: another one may have its instance
// and another base name.
func (d *daemon) ownContainers(t *testing.T) []runtime.Container {
	t.Helper()
	list, err := d.e.rt.List(t.Context(), runtime.Selector{Labels: map[string]string{
		labelInstance: d.instance, labelBaseName: d.base,
	}})
	if err != nil {
		t.Fatalf("list containers: %v", err)
	}
	return list
}

// awaitSettled waits until the daemon and its engine agree: every container is
// that of a desktop that runs, and every such desktop has one. It gives how long
// that took.
func (d *daemon) awaitSettled(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		why := d.unsettled(t)
		took := time.Since(began)
		if why == "" {
			return took
		}
		if took > settleLimit {
			t.Fatalf("%s, still after %s", why, took)
		}
		time.Sleep(lookInterval)
	}
}

// unsettled says what the daemon and its engine do not agree on.
func (d *daemon) unsettled(t *testing.T) string {
	t.Helper()
	there := map[string]bool{}
	for _, c := range d.ownContainers(t) {
		uid := c.Labels[labelUID]
		var known struct{ State, Container string }
		a := d.ask(t, http.MethodGet, "/api/vm/"+uid, "")
		if a.status == http.StatusOK {
			a.decode(t, &known)
		}
		running := known.State == "ready" || known.State == "occupied"
		if !running || known.Container != c.Name || c.State != runtime.StateRunning || there[uid] {
			return fmt.Sprintf("container %s is %s, and sage says of it: %s", c.Name, c.State, a.body)
		}
		there[uid] = true
	}
	for _, uid := range d.list(t) {
		if !there[uid] {
			return uid + " runs without a container"
		}
	}
	return ""
}

// files are what the data directory holds, without the test's own log.
func (d *daemon) files(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(d.dataDir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != d.logFile() {
			name, _ := filepath.Rel(d.dataDir, path)
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// checkFiles checks that the data directory holds the settings of these uids and the
// records of the desktops that run, and nothing else but last pictures.
func (d *daemon) checkFiles(t *testing.T, uids []string) {
	t.Helper()
	want := []string{"key", "lock"}
	for _, uid := range d.list(t) {
		want = append(want, filepath.Join("desktops", uid+".json"))
	}
	pictures := map[string]bool{}
	for _, uid := range uids {
		want = append(want, filepath.Join("sessions", uid+".json"))
		pictures[filepath.Join("pictures", uid+".png")] = true
	}
	slices.Sort(want)
	got := slices.DeleteFunc(d.files(t), func(file string) bool { return pictures[file] })
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the data directory holds %q, want %q", got, want)
	}
}
