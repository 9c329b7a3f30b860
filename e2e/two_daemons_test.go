package e2e_test

import (
	"context"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest"
)

// TestTwoDaemons lets two daemons share an engine: neither touches what is not
// its own.
func TestTwoDaemons(t *testing.T) {
	for _, name := range []string{"docker", "podman-rootless"} {
		t.Run(name, func(t *testing.T) {
			e := connect(t, name)
			t.Run("other base name", func(t *testing.T) { testApart(t, e, true) })
			t.Run("other instance and base name", func(t *testing.T) { testApart(t, e, false) })
			t.Run("other instance", func(t *testing.T) { testSameNames(t, e) })
			t.Run("a stranger's container", func(t *testing.T) { testStranger(t, e) })
		})
	}
}

// beside runs a second daemon, with the first one's instance or base name where
// that is wanted.
func (d *daemon) beside(t *testing.T, own settings, sameInstance, sameBase bool) *daemon {
	t.Helper()
	own = maps.Clone(own)
	if sameInstance {
		own["SAGE_INSTANCE"] = d.instance
	}
	if sameBase {
		own["CONTAINER_BASE_NAME"] = d.base
	}
	other := serve(t, d.e, own)
	if sameInstance {
		other.instance = d.instance
	}
	if sameBase {
		other.base = d.base
	}
	return other
}

// testApart: the names differ, so both have a desktop for everybody.
func testApart(t *testing.T, e *engine, sameInstance bool) {
	const people, ports = 10, 24
	first := strangers(t, ports)
	own := settings{
		"SAGE_CATALOG": tinyCatalog(t, e), "CONTAINER_NO_CLIENT_TIMEOUT": "1h", "SAGE_FIRST_CLIENT_GRACE": "1h",
		"PORT_RANGE_START": strconv.Itoa(first), "PORT_RANGE_END": strconv.Itoa(first + ports),
	}
	a := serve(t, e, own)
	b := a.beside(t, own, sameInstance, false)
	both := []*daemon{a, b}
	names := uids("shared", people)
	urls := map[*daemon][]string{}
	var mu sync.Mutex
	var work sync.WaitGroup
	for _, d := range both {
		work.Go(func() {
			got := d.startTogether(t, names)
			mu.Lock()
			defer mu.Unlock()
			urls[d] = got
		})
	}
	work.Wait()
	if t.Failed() {
		t.FailNow()
	}
	containers := map[*daemon]map[string]runtime.ID{a: a.containerOf(t), b: b.containerOf(t)}
	used := map[uint16]string{}
	for _, d := range both {
		if got := d.list(t); !slices.Equal(got, names) {
			t.Errorf("%s lists %q, want %q", d.base, got, names)
		}
		for uid, id := range containers[d] {
			c, err := e.rt.Inspect(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range c.Ports {
				if other := used[p.HostPort]; other != "" || int(p.HostPort) < first || int(p.HostPort) >= first+ports {
					t.Errorf("%s%s has port %d of [%d, %d), which belongs to %q", d.base, uid, p.HostPort, first, first+ports, other)
				}
				used[p.HostPort] = d.base + uid
			}
		}
	}
	if len(used) != 2*people {
		t.Errorf("%d ports are used, want %d", len(used), 2*people)
	}

	unchanged := func(d *daemon, uids []string) {
		t.Helper()
		now := d.containerOf(t)
		if got := d.list(t); !slices.Equal(got, uids) || len(now) != len(uids) {
			t.Errorf("%s lists %q and has %d containers, want %q", d.base, got, len(now), uids)
		}
		for i, uid := range names {
			if !slices.Contains(uids, uid) {
				continue
			}
			if now[uid] != containers[d][uid] {
				t.Errorf("%s%s had container %s and has %q", d.base, uid, containers[d][uid], now[uid])
			}
			d.greets(t, uid, urls[d][i])
		}
	}
	for _, d := range both {
		d.end(syscall.SIGKILL)
		d.run()
		d.awaitSettled(t)
		if n := strings.Count(d.log(t), "desktop is adopted"); n != people {
			t.Errorf("%s has adopted %d desktops, want %d", d.base, n, people)
		}
	}
	unchanged(a, names)
	unchanged(b, names)
	a.stopAll(t, names[:people/2])
	unchanged(a, names[people/2:])
	unchanged(b, names)
	for _, uid := range names {
		a.stop(t, uid)
	}
	unchanged(a, nil)
	unchanged(b, names)
}

// startTogether starts the uids' desktops at the same time and gives their
// addresses in the same order. It may be called from any goroutine.
func (d *daemon) startTogether(t *testing.T, uids []string) []string {
	urls := make([]string, len(uids))
	var work sync.WaitGroup
	for i, uid := range uids {
		d.know(uid)
		work.Go(func() {
			a, err := d.call(t.Context(), http.MethodPost, "/api/vm/any/"+uid, startTiny)
			if err == nil {
				urls[i], err = a.startedURL()
			}
			if err != nil {
				t.Errorf("start of %s%s: %v", d.base, uid, err)
			}
		})
	}
	work.Wait()
	return urls
}

// testSameNames: the names are equal, so who comes first has the uid.
func testSameNames(t *testing.T, e *engine) {
	own := settings{"SAGE_CATALOG": tinyCatalog(t, e), "CONTAINER_NO_CLIENT_TIMEOUT": "1h", "SAGE_FIRST_CLIENT_GRACE": "1h"}
	a := serve(t, e, own)
	b := a.beside(t, own, false, true)
	for _, c := range []struct {
		owner, other *daemon
		uid, body    string
	}{{a, b, "alice", startTinyHome}, {b, a, "bob", startTiny}} {
		url := c.owner.start(t, c.uid, c.body).URL
		before := c.owner.containerOf(t)
		a := c.other.ask(t, http.MethodPost, "/api/vm/any/"+c.uid, c.body)
		if p := a.refused(t, http.StatusConflict, "conflict"); !strings.Contains(p.Detail, c.owner.base+c.uid) || !strings.Contains(p.Detail, "CONTAINER_BASE_NAME") {
			t.Errorf("the answer does not say what to do: %s", p.Detail)
		}
		c.other.ask(t, http.MethodDelete, "/api/vm/"+c.uid, "")
		c.other.ask(t, http.MethodGet, "/api/vm/ws/"+c.uid, "").refused(t, http.StatusNotFound, "not_running")
		if slices.Contains(c.other.list(t), c.uid) || slices.Contains(c.other.savedUIDs(), c.uid) {
			t.Errorf("the other daemon has %s", c.uid)
		}
		if after := c.owner.containerOf(t); after[c.uid] == "" || after[c.uid] != before[c.uid] {
			t.Errorf("%s had container %s and has %q", c.uid, before[c.uid], after[c.uid])
		}
		c.owner.greets(t, c.uid, url)
	}
	if !e.hasVolume(t, a.volume("alice")) {
		t.Error("the home of alice is gone")
	}
	for _, d := range []*daemon{a, b} {
		before := d.containerOf(t)
		d.end(syscall.SIGKILL)
		d.run()
		d.awaitSettled(t)
		if after := d.containerOf(t); len(after) != 1 || !maps.Equal(before, after) {
			t.Errorf("the containers were %v and are %v", before, after)
		}
	}
}

// testStranger: a container that has a name of ours and is not ours.
func testStranger(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_CATALOG": tinyCatalog(t, e)})
	d.end(syscall.SIGTERM)
	name := d.base + "stranger"
	id, err := e.rt.Create(t.Context(), runtime.Spec{
		Name: name, Image: runtimetest.TestImage(t, e.rt), Env: map[string]string{"TESTAPP_MODE": "vnc"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.rt.Remove(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	if err := e.rt.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	d.run()
	reported := func(line string) bool {
		return strings.Contains(line, "left alone") && strings.Contains(line, name)
	}
	if !slices.ContainsFunc(strings.Split(d.log(t), "\n"), reported) {
		t.Errorf("the log does not report %s", name)
	}
	if list := d.list(t); len(list) != 0 {
		t.Errorf("the API lists %q", list)
	}
	p := d.ask(t, http.MethodPost, "/api/vm/any/stranger", startTiny).refused(t, http.StatusConflict, "conflict")
	if !strings.Contains(p.Detail, name) {
		t.Errorf("the answer does not name %s: %s", name, p.Detail)
	}
	d.ask(t, http.MethodDelete, "/api/vm/stranger?purge=true", "")
	d.start(t, "another", startTiny)
	d.stop(t, "another")
	if c, err := e.rt.Inspect(t.Context(), id); err != nil || c.State != runtime.StateRunning || c.Name != name {
		t.Errorf("the stranger's container: %+v, %v", c, err)
	}
}

// log is what the daemon has written so far.
func (d *daemon) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.logFile())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
