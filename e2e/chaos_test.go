package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/runtime"
)

const (
	// chaosDesktops is how many there are, chaosWatched how many of them have a
	// client, chaosAtOnce how many are started at the same time.
	chaosDesktops, chaosWatched, chaosAtOnce = 30, 10, 4
	// sparePorts are those of the range that the desktops leave free.
	sparePorts = 4
	// outageTime is how long an engine's socket is away.
	outageTime = 30 * time.Second
	// chaosLimit bounds the wait for everything to be in order again.
	chaosLimit = 3 * time.Minute
)

// TestChaos lets everything go wrong that can be made to, on engines of its own,
// in a random order: no desktop is lost, none is stopped that was not hit, and
// nothing is left at the end. SAGE_SOAK lets it go on for so long.
func TestChaos(t *testing.T) {
	for _, name := range []string{"docker", "podman-rootless"} {
		t.Run(name, func(t *testing.T) { newChaos(t, name).run(t) })
	}
}

// desktop is what the test knows of one.
type desktop struct {
	uid string
	// url and container are those of the desktop that runs; empty where none does,
	// or where nobody can know.
	url       string
	container runtime.ID
	view      *screen // Nil where nobody looks.
}

// chaos is a daemon and its desktops on an engine that may be hurt.
type chaos struct {
	*daemon
	engine   *privateEngine
	random   *rand.Rand
	dataDir  string
	ports    [2]int
	desktops []*desktop
	counts   map[string]int
}

func newChaos(t *testing.T, name string) *chaos {
	c := &chaos{engine: newPrivateEngine(t, name), counts: map[string]int{}}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c.random = rand.New(rand.NewPCG(seed, seed))
	c.dataDir = smallDisk(t)
	const wanted = chaosDesktops + sparePorts
	c.ports[0] = strangers(t, wanted)
	c.ports[1] = c.ports[0] + wanted
	c.daemon = serve(t, c.engine.engine, settings{
		"SAGE_CATALOG": smallCatalog(t, c.engine.engine), "SAGE_DATA_DIR": c.dataDir, "SAGE_DRAIN_TIMEOUT": "0",
		"PORT_RANGE_START": strconv.Itoa(c.ports[0]), "PORT_RANGE_END": strconv.Itoa(c.ports[1]),
		"CONTAINER_NO_CLIENT_TIMEOUT": "1h", "SAGE_FIRST_CLIENT_GRACE": "1h", "SAGE_STOP_GRACE": "1s",
	})
	for i := range chaosDesktops {
		c.desktops = append(c.desktops, &desktop{uid: fmt.Sprintf("chaos-%02d", i)})
	}
	return c
}

// smallDisk mounts one that is soon full.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "sage-test", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fault is one way to hurt it. It gives the desktops that it hits.
type fault struct {
	name  string
	times int
	do    func(t *testing.T) (hit []*desktop)
}

func (c *chaos) faults() []fault {
	return []fault{
		{"container killed", 4, c.killContainers},
		{"container removed by hand", 4, c.removeContainers},
		{"daemon killed", 3, func(t *testing.T) []*desktop { return c.restart(t, syscall.SIGKILL) }},
		{"daemon ended", 2, func(t *testing.T) []*desktop { return c.restart(t, syscall.SIGTERM) }},
		{"daemon killed amid starts and stops", 4, c.killBusyDaemon},
		{"engine restarted", 2, func(t *testing.T) []*desktop { return c.restartEngine(t, syscall.SIGTERM) }},
		{"engine killed", 2, func(t *testing.T) []*desktop { return c.restartEngine(t, syscall.SIGKILL) }},
		{"engine frozen", 1, c.freezeEngine},
		{"engine's socket away", 1, c.hideEngine},
		{"port range filled", 1, c.fillPorts},
		{"disk full", 2, c.fillDisk},
	}
}

func (c *chaos) run(t *testing.T) {
	began := time.Now()
	c.repair(t)
	end := soakUntil(t)
	for first := true; first || time.Now().Before(end); first = false {
		var order []fault
		for _, f := range c.faults() {
			for range f.times {
				order = append(order, f)
			}
		}
		c.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, f := range order {
			c.suffer(t, f)
			if t.Failed() {
				t.Fatalf("after: %s", f.name)
			}
		}
	}
	c.leave(t)
	c.report(t, time.Since(began))
}

// suffer lets one fault happen and looks whether all is in order afterwards.
func (c *chaos) suffer(t *testing.T, f fault) {
	hit := f.do(t)
	if c.process == nil {
		t.Fatalf("%s: the daemon has ended", f.name)
	}
	c.awaitOrder(t, f.name, hit)
	c.repair(t)
	c.counts[f.name]++
}

// awaitOrder waits until everything that was not hit is as it was, and checks
// that it was never otherwise for those who look.
func (c *chaos) awaitOrder(t *testing.T, after string, hit []*desktop) {
	t.Helper()
	for _, d := range c.desktops {
		if slices.Contains(hit, d) {
			continue
		}
		if d.view != nil {
			if _, err := d.view.Capture(t.Context()); err != nil {
				t.Errorf("%s: the client of %s was cut off: %v", after, d.uid, err)
			}
		}
		var found started
		a := c.ask(t, http.MethodGet, "/api/vm/ws/"+d.uid, "")
		if a.status == http.StatusOK {
			a.decode(t, &found)
		}
		if found.URL != d.url {
			t.Errorf("%s: the address of %s was %q and is %q: %s", after, d.uid, d.url, found.URL, a.body)
		}
	}
	for _, d := range hit {
		d.url = ""
		if d.view != nil {
			_ = d.view.Close()
			d.view = nil
		}
	}
}

// repair starts what does not run, each with one request, and lets clients look
// again; then every desktop has the container that the daemon knows.
func (c *chaos) repair(t *testing.T) {
	t.Helper()
	var work errgroup.Group
	work.SetLimit(chaosAtOnce)
	for i, d := range c.desktops {
		if d.url == "" {
			c.know(d.uid)
			work.Go(func() error {
				a, err := c.call(t.Context(), http.MethodPost, "/api/vm/any/"+d.uid, `{"vm":"vnc"}`)
				if err != nil || a.status != http.StatusOK {
					t.Errorf("start of %s: %v, status %d: %s", d.uid, err, a.status, a.body)
					return nil
				}
				var s started
				a.decode(t, &s)
				d.url = s.URL
				if i < chaosWatched {
					d.view = c.watch(t, d.url, "vnc")
				}
				return nil
			})
		}
	}
	_ = work.Wait()
	there := map[string]runtime.ID{}
	for _, one := range c.engine.containers(t.Context(), t, c.instance, "") {
		uid := one.Labels[labelUID]
		if there[uid] != "" {
			t.Errorf("%s has two containers", uid)
		}
		there[uid] = one.ID
	}
	for _, d := range c.desktops {
		if there[d.uid] == "" {
			t.Errorf("%s has no container", d.uid)
		}
		d.container = there[d.uid]
	}
	if len(there) != len(c.desktops) {
		t.Errorf("%d containers for %d desktops", len(there), len(c.desktops))
	}
}

// some are n desktops by chance.
func (c *chaos) some(n int) []*desktop {
	var chosen []*desktop
	for _, i := range c.random.Perm(len(c.desktops))[:n] {
		chosen = append(chosen, c.desktops[i])
	}
	return chosen
}

// awaitNoticed waits until the daemon knows that desktops have ended.
func (c *chaos) awaitNoticed(t *testing.T, ended []*desktop) {
	t.Helper()
	for _, d := range ended {
		c.await(t, d.uid+" has ended", func() bool {
			return c.ask(t, http.MethodGet, "/api/vm/ws/"+d.uid, "").status == http.StatusNotFound
		})
	}
}

func (c *chaos) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	await(t, chaosLimit, what, is)
}

func (c *chaos) killContainers(t *testing.T) []*desktop {
	hit := c.some(3)
	for _, d := range hit {
		c.engine.killContainer(d.container)
	}
	c.awaitNoticed(t, hit)
	for _, d := range hit {
		c.await(t, d.uid+" says why", func() bool {
			a := c.ask(t, http.MethodGet, "/api/vm/"+d.uid, "")
			return strings.Contains(a.body, `"exit_code":137`)
		})
	}
	return hit
}

func (c *chaos) removeContainers(t *testing.T) []*desktop {
	hit := c.some(3)
	for _, d := range hit {
		if err := c.engine.rt.Remove(t.Context(), d.container); err != nil {
			t.Fatal(err)
		}
	}
	c.awaitNoticed(t, hit)
	return hit
}

// restart ends the daemon and starts the next one. Clients have to come again,
// under the old address.
func (c *chaos) restart(t *testing.T, signal syscall.Signal) []*desktop {
	c.end(signal)
	c.daemon.run()
	c.comeAgain(t, c.desktops)
	return nil
}

func (c *chaos) comeAgain(t *testing.T, desktops []*desktop) {
	t.Helper()
	for _, d := range desktops {
		if d.view != nil {
			_ = d.view.Close()
			d.view = c.watch(t, d.url, "vnc")
		}
	}
}

// killBusyDaemon kills it while desktops are started and stopped.
func (c *chaos) killBusyDaemon(t *testing.T) []*desktop {
	busy := c.some(6)
	for _, d := range busy[:3] { // These will be on their way up.
		c.ask(t, http.MethodDelete, "/api/vm/"+d.uid, "")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	for i, d := range busy {
		method, path, body := http.MethodPost, "/api/vm/any/"+d.uid, `{"vm":"vnc"}`
		if i >= 3 {
			method, path, body = http.MethodDelete, "/api/vm/"+d.uid, ""
		}
		work.Go(func() { _, _ = c.call(ctx, method, path, body) })
	}
	<-time.After(time.Duration(c.random.IntN(1500)) * time.Millisecond) // Any instant will do.
	c.end(syscall.SIGKILL)
	cancel()
	work.Wait()
	c.daemon.run()
	var others []*desktop
	for _, d := range c.desktops {
		if !slices.Contains(busy, d) {
			others = append(others, d)
		}
	}
	c.comeAgain(t, others)
	// What came of them is known by the daemon, or gone.
	c.await(t, "every container is known", func() bool {
		for _, one := range c.engine.containers(t.Context(), t, c.instance, "") {
			if c.ask(t, http.MethodGet, "/api/vm/"+one.Labels[labelUID], "").status != http.StatusOK {
				return false
			}
		}
		return true
	})
	return busy
}

// refuses checks that what needs the engine is refused with a reason, and that
// the rest goes on.
func (c *chaos) refuses(t *testing.T, status int, code string) {
	t.Helper()
	a := c.ask(t, http.MethodPost, "/api/vm/any/one-more", `{"vm":"vnc"}`)
	a.refused(t, status, code)
	if status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After: %s", a.body)
	}
	for _, d := range c.some(3) {
		if got := c.start(t, d.uid, `{}`); got.URL != d.url {
			t.Errorf("the address of %s was %q and is %q", d.uid, d.url, got.URL)
		}
	}
}

// works checks that one more desktop can be started, in the end.
func (c *chaos) works(t *testing.T) {
	t.Helper()
	c.know("one-more")
	c.await(t, "one more desktop can be started", func() bool {
		return c.ask(t, http.MethodPost, "/api/vm/any/one-more", `{"vm":"vnc"}`).status == http.StatusOK
	})
	c.stop(t, "one-more")
}

func (c *chaos) restartEngine(t *testing.T, signal syscall.Signal) []*desktop {
	c.engine.end(signal)
	c.engine.run()
	c.await(t, "sage is ready", func() bool { return c.ask(t, http.MethodGet, "/readyz", "").status == http.StatusOK })
	return nil
}

func (c *chaos) freezeEngine(t *testing.T) []*desktop {
	c.engine.send(syscall.SIGSTOP)
	c.refuses(t, http.StatusServiceUnavailable, "engine_unavailable")
	c.engine.send(syscall.SIGCONT)
	c.works(t)
	return nil
}

func (c *chaos) hideEngine(t *testing.T) []*desktop {
	c.engine.end(syscall.SIGKILL)
	back := time.After(outageTime)
	c.refuses(t, http.StatusServiceUnavailable, "engine_unavailable")
	<-back
	c.refuses(t, http.StatusServiceUnavailable, "engine_unavailable")
	c.engine.run()
	c.works(t)
	return nil
}

func (c *chaos) fillPorts(t *testing.T) []*desktop {
	var held []net.Listener
	for port := c.ports[0]; port < c.ports[1]; port++ {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			held = append(held, l)
		}
	}
	if len(held) != sparePorts {
		t.Errorf("%d ports were free, want %d", len(held), sparePorts)
	}
	c.refuses(t, http.StatusServiceUnavailable, "ports_exhausted")
	for _, l := range held {
		l.Close()
	}
	c.works(t) // After the time that taken ports are left alone.
	return nil
}

func (c *chaos) fillDisk(t *testing.T) []*desktop {
	before := c.savedFiles(t)
	filler := filepath.Join(c.dataDir, "filler")
	file, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	file.Close()
	c.refuses(t, http.StatusInsufficientStorage, "settings_not_saved")
	if after := c.savedFiles(t); !slices.EqualFunc(before, after, bytes.Equal) {
		t.Error("a full disk has changed saved settings")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.works(t)
	return nil
}

// savedFiles are the contents of all files of settings, in the order of their
// names.
func (c *chaos) savedFiles(t *testing.T) [][]byte {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.dataDir, "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || strings.HasPrefix(e.Name(), ".") {
			t.Errorf("there is a file %s", e.Name())
		}
		data, err := os.ReadFile(filepath.Join(c.dataDir, "sessions", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	return files
}

// leave stops everything: nothing is left.
func (c *chaos) leave(t *testing.T) {
	for _, d := range c.desktops {
		if d.view != nil {
			_ = d.view.Close()
			d.view = nil
		}
	}
	if n := len(c.savedFiles(t)); n != len(c.desktops) {
		t.Errorf("%d files of settings for %d desktops", n, len(c.desktops))
	}
	for _, d := range c.desktops {
		c.stop(t, d.uid)
	}
	if list := c.engine.containers(t.Context(), t, c.instance, ""); len(list) != 0 {
		t.Errorf("%d containers are left", len(list))
	}
	if n := len(c.savedFiles(t)); n != 0 {
		t.Errorf("%d files of settings are left", n)
	}
	c.await(t, "every port is free", func() bool {
		for port := c.ports[0]; port < c.ports[1]; port++ {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				return false
			}
			l.Close()
		}
		return true
	})
	http.DefaultClient.CloseIdleConnections()
	old := c.openFiles(t)
	c.restart(t, syscall.SIGKILL)
	http.DefaultClient.CloseIdleConnections()
	const slack = 10 // Connections to the engine that are kept for the next call.
	if fresh := c.openFiles(t); old > fresh+slack {
		t.Errorf("the daemon had %d files open, a fresh one has %d", old, fresh)
	}
}

func (d *daemon) openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// report prints what was survived, also where tests say nothing else.
func (c *chaos) report(t *testing.T, took time.Duration) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "chaos on %s, %d desktops, %s\tinjected\tsurvived\n", c.engine.name, len(c.desktops), took.Round(time.Second))
	total := 0
	for _, f := range c.faults() {
		fmt.Fprintf(out, "  %s\t%d\t%d\n", f.name, c.counts[f.name], c.counts[f.name])
		total += c.counts[f.name]
	}
	fmt.Fprintf(out, "  in all\t%d\t%d\n", total, total)
	if err := out.Flush(); err != nil {
		t.Error(err)
	}
}

// soakUntil is when tests with a random course may end: at once, or after the
// time that SAGE_SOAK gives.
func soakUntil(t *testing.T) time.Time {
	t.Helper()
	text := os.Getenv("SAGE_SOAK")
	if text == "" {
		return time.Now()
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("SAGE_SOAK: %v", err)
	}
	return time.Now().Add(d)
}
