package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// watcher keeps what a Watch tells.
type watcher struct {
	*session.Watch
	mu   sync.Mutex
	told []session.Session
	err  error
	done chan struct{}
}

// watch follows a desktop, or all where uid is empty, until the Manager closes.
func (b *bench) watch(uid string) *watcher {
	b.t.Helper()
	w := &watcher{Watch: b.WatchAll(), done: make(chan struct{})}
	if uid != "" {
		w.Close()
		var err error
		if w.Watch, err = b.Watch(uid); err != nil {
			b.t.Fatal(err)
		}
	}
	go func() {
		defer close(w.done)
		defer w.Close()
		for {
			changes, err := w.Next(context.Background())
			if err != nil {
				w.err = err
				return
			}
			w.mu.Lock()
			w.told = append(w.told, changes...)
			w.mu.Unlock()
		}
	}()
	return w
}

// steps are what was told, without repetitions and without the moment in which
// settings are written, which may be missed.
func (w *watcher) steps() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var steps []string
	for _, s := range w.told {
		if s.Phase == session.PhaseSettings {
			continue
		}
		steps = append(steps, fmt.Sprint(s.UID, " ", s.State, " ", s.Phase))
	}
	return slices.Compact(steps)
}

func TestWatchTellsAStart(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		w := b.watch("alice")
		b.pass(time.Second)
		b.engine.Delay(fake.OpEnsureVolume, time.Second)
		b.engine.Delay(fake.OpStart, time.Second)
		b.engine.Delay(fake.OpRemove, time.Second)
		got := b.startSoon("alice", session.Request{App: "desk"})
		b.start("bob")
		if out := <-got; out.err != nil {
			t.Fatal(out.err)
		}
		b.pass(time.Second)
		want := []string{
			"alice absent ", "alice preparing create", "alice starting start",
			"alice starting ready", "alice ready ",
		}
		if got := w.steps(); !slices.Equal(got, want) {
			t.Errorf("told\n%q, want\n%q", got, want)
		}
		b.pass(grace + 2*time.Second)
		if got, want := w.steps(), append(want, "alice stopping ", "alice absent "); !slices.Equal(got, want) {
			t.Errorf("told\n%q, want\n%q", got, want)
		}
		b.start("alice")
		b.pass(time.Second)
		if last := w.told[len(w.told)-1]; last.State != session.Ready {
			t.Errorf("the last word is %+v", last)
		}
	}, func(b *bench) {
		b.engine.SetImage(image, fake.Image{Program: fake.SlowVNC(vncPort, time.Second)})
	})
}

func TestWatchTellsHowAnImageComes(t *testing.T) {
	const mib = 1 << 20
	bubble(t, func(t *testing.T, b *bench) {
		w := b.watch("alice")
		b.start("alice")
		b.pass(time.Second)
		var texts []string
		var counts [][2]int64
		for _, s := range w.told {
			if s.Image == nil {
				continue
			}
			if s.State != session.Preparing || s.Phase != session.PhaseImage || s.Progress != s.Image.Text {
				t.Errorf("got %+v", s)
			}
			texts = append(texts, s.Image.Text)
			counts = append(counts, [2]int64{s.Image.Current, s.Image.Total})
		}
		if want := []string{"", "Pulling", "Downloading", "Extracting", "Download complete"}; !slices.Equal(texts, want) {
			t.Errorf("texts %q, want %q", texts, want)
		}
		if want := [][2]int64{{}, {}, {5 * mib, 12 * mib}, {10 * mib, 12 * mib}, {12 * mib, 12 * mib}}; !slices.Equal(counts, want) {
			t.Errorf("bytes %v, want %v", counts, want)
		}
		if last := w.told[len(w.told)-1]; last.State != session.Ready || last.Image != nil || last.Progress != "" || last.Phase != "" {
			t.Errorf("the last word is %+v", last)
		}
	}, func(b *bench) {
		b.engine = fake.New(fake.Options{Pull: func(_ context.Context, _ string, progress func(runtime.Progress)) (fake.Image, error) {
			for _, reports := range [][]runtime.Progress{
				{{Text: "Pulling"}},
				{{Layer: "a", Text: "Downloading", Current: 5 * mib, Total: 10 * mib}, {Layer: "b", Text: "Downloading", Total: 2 * mib}},
				{{Layer: "a", Text: "Download complete", Done: true}, {Layer: "a", Text: "Extracting", Current: mib, Total: 10 * mib}},
				{{Layer: "b", Text: "Download complete", Done: true}},
			} {
				time.Sleep(time.Second)
				for _, p := range reports {
					progress(p)
				}
			}
			time.Sleep(time.Second)
			return fake.Image{Program: fake.VNC(vncPort)}, nil
		}})
	})
}

func TestWatchAllTellsEverybody(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("b")
		b.start("a")
		w := b.watch("")
		b.pass(time.Second)
		a := b.attach(b.start("c").Token)
		b.pass(time.Second)
		a.Release()
		b.pass(grace + time.Second)
		got := slices.DeleteFunc(w.steps(), func(s string) bool { // Moments that may be missed.
			return strings.Contains(s, "preparing") || strings.Contains(s, "starting") || strings.Contains(s, "stopping")
		})
		// One of a round of the clock comes before the other.
		slices.Sort(got[len(got)-3:])
		want := []string{"a ready ", "b ready ", "c occupied ", "c ready ", "a absent ", "b absent ", "c absent "}
		if i := slices.Index(got, "c ready "); i == 2 {
			want = slices.Insert(want, 2, "c ready ") // Before it was attached to.
		}
		if !slices.Equal(got, want) {
			t.Errorf("told\n%q, want\n%q", got, want)
		}
	})
}

func TestWatchTellsSeldomButTheLast(t *testing.T) {
	const seconds, perSecond = 10, 10
	bubble(t, func(t *testing.T, b *bench) {
		s := b.start("alice")
		w := b.watch("")
		b.pass(time.Second)
		before := len(w.told)
		for range 1000 * seconds {
			b.attach(s.Token).Release()
			time.Sleep(time.Millisecond)
		}
		defer b.attach(s.Token).Release()
		b.pass(time.Second)
		if n := len(w.told) - before; n > seconds*perSecond+2 || n < seconds {
			t.Errorf("%d reports in %d seconds", n, seconds)
		}
		if last := w.told[len(w.told)-1]; last.State != session.Occupied || last.Clients != 1 {
			t.Errorf("the last word is %+v", last)
		}
	})
}

// TestWatchLosesNothing: a context may end between two reports.
func TestWatchLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		w, err := b.Watch("alice")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		next := func(patience time.Duration) (session.State, error) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			changes, err := w.Next(ctx)
			if err != nil {
				return "", err
			}
			if len(changes) != 1 {
				t.Fatalf("got %+v", changes)
			}
			return changes[0].State, nil
		}
		if state, err := next(time.Second); state != session.Absent || err != nil {
			t.Errorf("at first %s, %v", state, err)
		}
		b.start("alice")
		for _, patience := range []time.Duration{time.Nanosecond, 50 * time.Millisecond} {
			if state, err := next(patience); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %s, %v", state, err)
			}
		}
		if state, err := next(time.Second); state != session.Ready || err != nil {
			t.Errorf("then %s, %v", state, err)
		}
		if state, err := next(time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing has changed: got %s, %v", state, err)
		}
	})
}

func TestWatchEnds(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		one, all := b.watch("alice"), b.watch("")
		b.pass(time.Second)
		b.halt()
		<-one.done
		<-all.done
		if !errors.Is(one.err, session.ErrClosing) || !errors.Is(all.err, session.ErrClosing) {
			t.Errorf("got %v and %v", one.err, all.err)
		}
		if n := b.Watches(); n != 0 {
			t.Errorf("%d are left", n)
		}
		if _, err := b.Watch("../x"); !errors.Is(err, session.ErrInvalidUID) {
			t.Errorf("got %v", err)
		}
		b.boot()
	})
}

func TestDescription(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s := b.start("alice")
		check := func(when string) {
			t.Helper()
			s, err := b.Get("alice")
			if err != nil || s.Limits != (runtime.Limits{CPUs: 1.5, MemoryBytes: 1 << 30, PIDs: 99}) || !s.Home || time.Until(s.ExpiresAt).Round(time.Second) != time.Hour {
				t.Errorf("%s: got %+v, %v", when, s, err)
			}
		}
		check("started")
		b.apps.Apps[0].Limits, b.apps.Apps[0].Home = catalog.Limits{}, nil
		b.reboot()
		check("adopted, when the catalog has changed")

		one := b.attach(s.Token)
		two, err := b.Attach(t.Context(), s.Token, "audio")
		if err != nil {
			t.Fatal(err)
		}
		if s, err := b.Get("alice"); err != nil || s.Clients != 2 || s.Viewers != 1 {
			t.Errorf("got %+v, %v", s, err)
		}
		one.Release()
		one.Release()
		if s, err := b.Get("alice"); err != nil || s.Clients != 1 || s.Viewers != 0 {
			t.Errorf("got %+v, %v", s, err)
		}
		two.Release()
	}, func(b *bench) {
		app := &b.apps.Apps[0]
		app.Limits = catalog.Limits{CPUs: 1.5, Memory: 1 << 30, Pids: 99, Shm: 1 << 20}
		app.Endpoints = append(app.Endpoints, catalog.Endpoint{Name: "audio", Port: 4711, Protocol: catalog.TCP})
		b.opts.MaxLifetime = time.Hour
	})
}
