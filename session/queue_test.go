package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// atOnce lets so many starts be at work, each for a while.
func atOnce(n int) func(*bench) {
	return func(b *bench) {
		b.opts.StartsAtOnce = n
		b.engine.SetImage(image, fake.Image{Program: fake.SlowVNC(vncPort, time.Second)})
	}
}

func TestStartsWaitInTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		var starts []<-chan outcome
		for i := range 6 {
			starts = append(starts, b.startSoon(uidOf(i), session.Request{App: "desk"}))
			b.pass(0)
		}
		w := b.watch(uidOf(5))
		positions := func() (all []int) {
			for i := range 6 {
				s, err := b.Get(uidOf(i))
				if err != nil || (s.QueuePosition > 0) != (s.Phase == session.PhaseQueued) || s.QueuePosition > 0 && s.State != session.Preparing {
					t.Errorf("got %+v, %v", s, err)
				}
				all = append(all, s.QueuePosition)
			}
			return all
		}
		for _, want := range [][]int{{0, 0, 1, 2, 3, 4}, {0, 0, 0, 0, 1, 2}, {0, 0, 0, 0, 0, 0}} {
			if got := positions(); !slices.Equal(got, want) {
				t.Errorf("positions %v, want %v", got, want)
			}
			b.pass(1100 * time.Millisecond)
		}
		for _, s := range starts {
			if out := <-s; out.err != nil {
				t.Error(out.err)
			}
		}
		var told []int
		for _, s := range w.told {
			if s.QueuePosition > 0 {
				told = append(told, s.QueuePosition)
			}
		}
		if !slices.IsSortedFunc(told, func(a, b int) int { return b - a }) {
			t.Errorf("told %v, which goes back", told)
		}
		// Two starts end at the same instant; whether the place between is told is chance.
		told = slices.DeleteFunc(slices.Compact(told), func(place int) bool { return place%2 == 1 })
		if want := []int{4, 2}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	}, atOnce(2))
}

// TestWaitingIsNoStarting: the time in the queue has a limit of its own.
func TestWaitingIsNoStarting(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		first := b.startSoon("first", session.Request{App: "desk"})
		b.pass(0)
		second := b.startSoon("second", session.Request{App: "desk"})
		b.pass(0)
		third := b.startSoon("third", session.Request{App: "desk"})
		for _, out := range []outcome{<-first, <-second} {
			if out.err != nil {
				t.Error(out.err)
			}
		}
		err := (<-third).err
		if f := failureOf(t, err); f.Phase != session.PhaseQueued || f.After != queueTimeout || !errors.Is(err, session.ErrQueueTimeout) || errors.Is(err, session.ErrStartTimeout) {
			t.Errorf("got %+v", f)
		}
		b.start("third") // There is room again.
	}, atOnce(1), func(b *bench) {
		b.apps.Apps[0].Timeouts.Start = catalog.Duration(queueTimeout)
		b.engine.SetImage(image, fake.Image{Program: fake.SlowVNC(vncPort, queueTimeout/2+time.Second)})
	})
}

func TestAWaitingStartCanBeStopped(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		first := b.startSoon("first", session.Request{App: "desk"})
		b.pass(0)
		second := b.startSoon("second", session.Request{App: "desk"})
		b.pass(0)
		third := b.startSoon("third", session.Request{App: "desk"})
		b.pass(0)
		if err := b.Stop(t.Context(), "second", session.StopOptions{}); err != nil {
			t.Error(err)
		}
		if out := <-second; !errors.Is(out.err, session.ErrStopped) {
			t.Errorf("got %v", out.err)
		}
		if s, err := b.Get("third"); err != nil || s.QueuePosition != 1 {
			t.Errorf("got %+v, %v", s, err)
		}
		b.wantState("second", session.Absent)
		for _, out := range []outcome{<-first, <-third} {
			if out.err != nil {
				t.Error(out.err)
			}
		}
		b.wantContainers("collab-vm-first", "collab-vm-third")
		if free, waiting := b.Queue(); free != 1 || waiting != 0 {
			t.Errorf("%d may begin, %d wait", free, waiting)
		}
	}, atOnce(1))
}

// TestAnImageHoldsUpNobody: while one comes, others start; afterwards its start
// comes before those that came later.
func TestAnImageHoldsUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		first := b.startSoon("first", session.Request{App: "desk"})
		b.pass(time.Second)
		second := b.startSoon("second", session.Request{App: "other"})
		b.pass(time.Second)
		third := b.startSoon("third", session.Request{App: "other"})
		b.pass(4 * time.Second)
		for uid, want := range map[string]int{"first": 1, "second": 0, "third": 2} {
			if s, err := b.Get(uid); err != nil || s.QueuePosition != want || want > 0 && s.Phase != session.PhaseQueued {
				t.Errorf("got %+v, %v, want place %d", s, err, want)
			}
		}
		for _, out := range []outcome{<-first, <-second, <-third} {
			if out.err != nil {
				t.Error(out.err)
			}
		}
	}, func(b *bench) {
		b.opts.StartsAtOnce = 1
		b.engine = fake.New(fake.Options{
			Images: map[string]fake.Image{"localhost/test/other:1": {Program: fake.SlowVNC(vncPort, 8*time.Second)}},
			Pull: func(context.Context, string, func(runtime.Progress)) (fake.Image, error) {
				time.Sleep(5 * time.Second)
				return fake.Image{Program: fake.VNC(vncPort)}, nil
			},
		})
		other := desk("other")
		other.Image = "localhost/test/other:1"
		b.apps.Apps = append(b.apps.Apps, other)
	})
}

func TestNoRoom(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		full := func(when string) {
			t.Helper()
			_, err := b.Start(t.Context(), "carol", session.Request{App: "desk"})
			var e *session.CapacityError
			if !errors.As(err, &e) || !errors.Is(err, session.ErrAtCapacity) || e.Limit != 2 || e.Current != 2 {
				t.Errorf("%s: got %v", when, err)
			}
			b.wantState("carol", session.Absent)
		}
		b.start("alice")
		b.engine.Delay(fake.OpStart, time.Second)
		bob := b.startSoon("bob", session.Request{App: "desk"})
		b.pass(0)
		full("one comes up")
		if out := <-bob; out.err != nil {
			t.Error(out.err)
		}
		full("both run")
		if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk"}); err != nil {
			t.Errorf("one that runs: %v", err)
		}
		if err := b.Stop(t.Context(), "dave", session.StopOptions{Purge: true}); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
		b.engine.Delay(fake.OpRemove, time.Second)
		stopped := b.stopSoon("bob", session.StopOptions{})
		b.pass(0)
		full("one goes away")
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		b.start("carol")
		b.reboot()
		_, err := b.Start(t.Context(), "bob", session.Request{App: "desk"})
		if !errors.Is(err, session.ErrAtCapacity) {
			t.Errorf("both were adopted: got %v", err)
		}
		b.engine.Heal()
		b.engine.Kill(b.container("alice").ID, 1, false)
		b.pass(2 * reconcile)
		b.wantState("alice", session.Failed)
		b.start("bob") // One that has failed takes no room.
		_, err = b.Start(t.Context(), "alice", session.Request{App: "desk"})
		if !errors.Is(err, session.ErrAtCapacity) {
			t.Errorf("got %v", err)
		}
		b.wantState("alice", session.Failed)
	}, func(b *bench) {
		b.opts.MaxDesktops, b.opts.FirstClientGrace = 2, time.Hour
	})
}

func TestLogs(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		if _, err := b.Logs(t.Context(), "alice", 10); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
		if _, err := b.Logs(t.Context(), "../x", 10); !errors.Is(err, session.ErrInvalidUID) {
			t.Errorf("got %v", err)
		}
		b.start("alice")
		if log, err := b.Logs(t.Context(), "alice", 10); err != nil || len(log) != 0 {
			t.Errorf("got %q, %v", log, err)
		}
		b.engine.Vanish(b.container("alice").ID)
		if _, err := b.Logs(t.Context(), "alice", 10); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
		b.pass(0)
		b.wantState("alice", session.Failed)
		b.start("bob")
		b.engine.Unavailable(true)
		if _, err := b.Logs(t.Context(), "bob", 10); !errors.Is(err, runtime.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
