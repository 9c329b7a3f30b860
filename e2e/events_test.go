package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sage/httpapi/api"
)

// follower reads a stream of events.
type follower struct {
	t      *testing.T
	lines  chan string
	cancel context.CancelFunc
}

// follow opens a stream of events.
func (d *daemon) follow(t *testing.T, path string) *follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, resp.Status)
	}
	f := &follower{t: t, lines: make(chan string), cancel: cancel}
	go func() {
		defer close(f.lines)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			select {
			case f.lines <- lines.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(cancel)
	return f
}

// until reads on until an event is what is looked for, and gives those that were
// read.
func (f *follower) until(what string, found func(api.Desktop) bool) []api.Desktop {
	f.t.Helper()
	var seen []api.Desktop
	for line := range f.lines {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var d api.Desktop
		if err := json.Unmarshal([]byte(data), &d); err != nil {
			f.t.Fatalf("event %q: %v", data, err)
		}
		seen = append(seen, d)
		if found(d) {
			return seen
		}
	}
	f.t.Fatalf("the events have ended before %s; they were %+v", what, seen)
	return nil
}

// in is a desktop of that uid in that state.
func in(uid, state string) func(api.Desktop) bool {
	return func(d api.Desktop) bool { return d.UID == uid && d.State == state }
}

// testEvents follows a real desktop from nothing to its end.
func testEvents(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_MAX_LIFETIME": "1h"})
	events := d.follow(t, "/api/vm/alice/events")
	events.until("it is absent", in("alice", "absent"))
	s := d.start(t, "alice", `{"vm":"desktop"}`)
	var steps []string
	last := api.Desktop{}
	for _, last = range events.until("it is ready", in("alice", "ready")) {
		steps = append(steps, strings.TrimSpace(last.State+" "+last.Phase))
	}
	// What lasts less than the time between two events may be missed.
	order := []string{"preparing settings", "preparing create", "starting start", "starting ready", "ready"}
	steps = slices.Compact(steps)
	at := -1
	for _, step := range steps {
		next := slices.Index(order, step)
		if next <= at {
			t.Fatalf("the steps were %q, want some of %q in this order", steps, order)
		}
		at = next
	}
	if len(steps) < 2 {
		t.Errorf("the steps were %q: nobody was told that it comes up", steps)
	}
	if last.URL != s.URL || last.Limits == nil || last.Limits.MemoryBytes == 0 || !last.Home || last.ExpiresAt == nil || time.Until(*last.ExpiresAt) > time.Hour {
		t.Errorf("ready: %+v", last)
	}
	view := d.watch(t, s.URL, "vnc")
	seen := events.until("somebody looks", in("alice", "occupied"))
	if got := seen[len(seen)-1]; got.Clients != 1 || got.Viewers != 1 {
		t.Errorf("with a client: %+v", got)
	}
	view.await(t, "looked", showsTerminal)
	testUsage(t, e, d, "alice")
	if a := d.ask(t, http.MethodGet, "/api/vm/alice/logs?tail=5", ""); a.status != http.StatusOK || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || strings.Count(a.body, "\n") > 5 {
		t.Errorf("its log: status %d %v: %q", a.status, a.header, a.body)
	}
	var all api.Desktops
	d.ask(t, http.MethodGet, "/api/vm", "").decode(t, &all)
	if len(all.Desktops) != 1 || all.Desktops[0].UID != "alice" || all.Desktops[0].State != "occupied" {
		t.Errorf("all: %+v", all)
	}
	d.stop(t, "alice")
	events.until("it is gone", in("alice", "absent"))
	d.ask(t, http.MethodGet, "/api/vm/alice/logs", "").refused(t, http.StatusNotFound, "not_running")
	d.ask(t, http.MethodGet, "/api/vm/alice/stats", "").refused(t, http.StatusNotFound, "not_running")
}

// testUsage asks what a real desktop uses.
func testUsage(t *testing.T, e *engine, d *daemon, uid string) {
	t.Helper()
	info, err := e.rt.Ping(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := d.ask(t, http.MethodGet, "/api/vm/"+uid+"/stats", "")
	if !info.Capabilities.Stats {
		a.refused(t, http.StatusNotImplemented, "unsupported")
		return
	}
	var used api.Stats
	a.decode(t, &used)
	// A desktop is a VNC server, a window manager and a terminal at least.
	if a.status != http.StatusOK || used.At.IsZero() || used.CPUSeconds <= 0 || used.CPUPercent < 0 || used.MemoryBytes < 1<<20 ||
		used.MemoryBytes > used.MemoryLimitBytes || used.PIDs < 3 || used.NetworkTxBytes == nil || *used.NetworkTxBytes <= 0 {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	t.Logf("it uses %s", a.body)
}
