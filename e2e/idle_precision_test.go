package e2e_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"sage/runtime"
)

const (
	// leavers have a client that leaves, stayers one that says nothing.
	leavers, stayers = 50, 50
	// idleAfter is the setting, idleLimit when a desktop has to be gone at the
	// latest.
	idleAfter, idleLimit = 5 * time.Second, 7 * time.Second
	// silence is how long clients say nothing.
	silence = time.Minute
)

// TestIdlePrecision: a desktop is gone soon after its client has left, never
// before its time, and stays while its client does.
func TestIdlePrecision(t *testing.T) {
	for _, name := range []string{"docker", "podman-rootless"} {
		t.Run(name, func(t *testing.T) { testIdlePrecision(t, connect(t, name)) })
	}
}

func testIdlePrecision(t *testing.T, e *engine) {
	d := serve(t, e, settings{
		"SAGE_CATALOG": tinyCatalog(t, e), "CONTAINER_NO_CLIENT_TIMEOUT": idleAfter.String(), "SAGE_FIRST_CLIENT_GRACE": "1h",
	})
	going, staying := uids("goes", leavers), uids("stays", stayers)
	goingURLs, stayingURLs := d.startAll(t, startTiny, going), d.startAll(t, startTiny, staying)
	pace := d.stopTime(t) * 2
	t.Logf("a client leaves every %s", pace)

	containers := d.containerOf(t)
	ends := newEnds()
	ends.listen(t, e, d.instance)
	views := make([]*screen, leavers)
	for i, uid := range going {
		views[i] = d.watch(t, goingURLs[i], "vnc")
		ends.feel(t, e, containers[uid])
	}
	silent := make([]*screen, stayers)
	for i := range staying {
		silent[i] = d.watch(t, stayingURLs[i], "vnc")
	}
	silentSince := time.Now()

	// One after the other: what is measured is when Sage ends a desktop, and not how
	// long this machine takes to end fifty at once.
	left := make([]time.Time, leavers)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i, view := range views {
		<-tick.C
		left[i] = time.Now()
		if err := view.Close(); err != nil {
			t.Errorf("leave %s: %v", going[i], err)
		}
	}
	var told, ended, removed []time.Duration
	for i, uid := range going {
		end := ends.await(t, uid, containers[uid])
		told = append(told, end.told.Sub(left[i]))
		ended = append(ended, end.ended.Sub(left[i]))
		removed = append(removed, end.removed.Sub(left[i]))
		if told[i] < idleAfter || ended[i] < idleAfter {
			t.Errorf("%s was told to end %s after its client had left, and ended after %s: too early", uid, told[i], ended[i])
		}
		if ended[i] > idleLimit {
			t.Errorf("%s ended %s after its client had left: too late", uid, ended[i])
		}
	}
	report(t, e.name, pace, map[string][]time.Duration{"told to end": told, "ended": ended, "removed": removed})

	<-time.After(time.Until(silentSince.Add(silence))) // The time itself is what is tested.
	after := d.containerOf(t)
	for i, uid := range staying {
		if after[uid] != containers[uid] {
			t.Errorf("%s had container %s and has %q", uid, containers[uid], after[uid])
		}
		if _, err := silent[i].Capture(t.Context()); err != nil {
			t.Errorf("the silent client of %s: %v", uid, err)
		}
	}
	if len(after) != stayers {
		t.Errorf("%d containers, want %d", len(after), stayers)
	}
}

// stopTime measures how long this engine takes for the end of one desktop, while
// the others run.
func (d *daemon) stopTime(t *testing.T) time.Duration {
	t.Helper()
	samples := uids("sample", 5)
	d.startAll(t, startTiny, samples)
	var longest time.Duration
	for _, uid := range samples {
		began := time.Now()
		d.stop(t, uid)
		longest = max(longest, time.Since(began))
	}
	return longest
}

// end is when a container was told to end, had ended, and was gone; zero where
// that has not happened.
type end struct{ told, ended, removed time.Time }

// ends are noticed without a question to the engine, which would slow down what
// is measured.
type ends struct {
	mu      sync.Mutex
	of      map[runtime.ID]end
	changed chan struct{}
}

func newEnds() *ends { return &ends{of: map[runtime.ID]end{}, changed: make(chan struct{})} }

func (n *ends) note(id runtime.ID, change func(*end)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.of[id]
	change(&e)
	n.of[id] = e
	close(n.changed)
	n.changed = make(chan struct{})
}

// listen hears from the engine what ends, until the test does.
func (n *ends) listen(t *testing.T, e *engine, instance string) {
	t.Helper()
	listening, done := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	var once sync.Once
	go func() {
		defer close(done)
		// An engine may end its events at any time; asked again, it begins a moment before.
		for ctx.Err() == nil {
			_ = e.rt.Events(ctx, runtime.Selector{Labels: map[string]string{labelInstance: instance}}, func(event runtime.Event) {
				now := time.Now()
				switch event.Kind {
				case runtime.EventListening:
					once.Do(func() { close(listening) })
				case runtime.EventExited:
					n.note(event.ID, func(e *end) {
						if e.ended.IsZero() {
							e.ended = now
						}
					})
				case runtime.EventRemoved:
					n.note(event.ID, func(e *end) {
						if e.removed.IsZero() {
							e.removed = now
						}
					})
				}
			})
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	select {
	case <-listening:
	case <-time.After(time.Minute):
		t.Fatal("no events within a minute")
	}
}

// feel holds a connection of its own to a desktop, past Sage: its program closes
// it at the moment when it is told to end.
func (n *ends) feel(t *testing.T, e *engine, id runtime.ID) {
	t.Helper()
	conn, err := e.rt.Dial(t.Context(), id, 5900)
	if err != nil {
		t.Fatalf("dial %s: %v", id, err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		now := time.Now()
		n.note(id, func(e *end) { e.told = now })
	}()
}

// await waits until a container is gone and gives how that went.
func (n *ends) await(t *testing.T, uid string, id runtime.ID) end {
	t.Helper()
	limit := time.After(settleLimit)
	for {
		n.mu.Lock()
		e, changed := n.of[id], n.changed
		n.mu.Unlock()
		if !e.told.IsZero() && !e.ended.IsZero() && !e.removed.IsZero() {
			return e
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%s is still there: %+v", uid, e)
		}
	}
}

// report prints how the times are spread, also where tests say nothing else.
func report(t *testing.T, engine string, pace time.Duration, times map[string][]time.Duration) {
	t.Helper()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "idle on %s, %d desktops, every %s\tmin\tmedian\tmax\n", engine, leavers, pace.Round(time.Millisecond))
	for _, what := range []string{"told to end", "ended", "removed"} {
		all := slices.Sorted(slices.Values(times[what]))
		fmt.Fprintf(out, "  %s\t%s\t%s\t%s\n", what, all[0].Round(time.Millisecond),
			all[len(all)/2].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond))
	}
	if err := out.Flush(); err != nil {
		t.Error(err)
	}
}
