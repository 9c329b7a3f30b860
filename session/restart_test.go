package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sage/runtime/fake"
	"sage/session"
)

// TestRestart: nobody sees that the desktop was gone, and nobody takes its place.
func TestRestart(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		first, err := b.Start(t.Context(), "alice", session.Request{App: "desk", Env: map[string]any{"SIZE": "1x1"}})
		if err != nil {
			t.Fatal(err)
		}
		client := b.attach(first.Token)
		homes := b.engine.Volumes()
		w := b.watch("alice")
		b.pass(time.Second)
		b.engine.Delay(fake.OpStop, time.Second)
		done, again := b.restartSoon("alice"), b.restartSoon("alice")
		b.pass(time.Millisecond)
		b.wantState("alice", session.Stopping)
		if client.Context().Err() == nil {
			t.Error("the stream goes on")
		}
		other := b.startSoon("alice", session.Request{App: "desk", Env: map[string]any{"SIZE": "2x2"}})
		taken := make(chan outcome, 1)
		go func() {
			s, err := b.Start(context.Background(), "bob", session.Request{App: "desk"})
			taken <- outcome{s, err}
		}()
		arrived := make(chan error, 1)
		go func() {
			a, err := b.Attach(context.Background(), first.Token, "vnc")
			if err == nil {
				a.Release()
			}
			arrived <- err
		}()
		outs := []outcome{<-done, <-again, <-other}
		for _, out := range outs {
			if out.err != nil || out.session.Token == first.Token || out.session.Token != outs[0].session.Token {
				t.Errorf("got %+v, %v", out.session, out.err)
			}
		}
		if err := <-arrived; err != nil {
			t.Errorf("who had the old address: %v", err)
		}
		if out := <-taken; !errors.Is(out.err, session.ErrAtCapacity) {
			t.Errorf("its place was taken: %+v, %v", out.session, out.err)
		}
		client.Release()
		b.pass(time.Second)
		if steps := w.steps(); slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(s, "absent") }) || steps[len(steps)-1] != "alice ready " {
			t.Errorf("told %q", steps)
		}
		if got := b.engine.Volumes(); !slices.Equal(got, homes) {
			t.Errorf("homes %q, want %q", got, homes)
		}
		b.wantContainers("collab-vm-alice")
	}, func(b *bench) { b.opts.MaxDesktops, b.opts.StartsAtOnce = 1, 1 })
}

func TestRestartOfWhatDoesNotRun(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		restart := func() (session.Session, error) { return b.Restart(t.Context(), "alice") }
		if _, err := restart(); !errors.Is(err, session.ErrNoSettings) {
			t.Errorf("a uid that is not known: %v", err)
		}
		if _, err := b.Restart(t.Context(), "../x"); !errors.Is(err, session.ErrInvalidUID) {
			t.Errorf("got %v", err)
		}
		b.start("alice")
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		if s, err := restart(); err != nil || s.State != session.Ready {
			t.Errorf("one that was stopped: %+v, %v", s, err)
		}
		b.engine.Kill(b.container("alice").ID, 1, false)
		b.pass(2 * reconcile)
		b.wantState("alice", session.Failed)
		first, err := restart()
		if err != nil || first.State != session.Ready {
			t.Errorf("one that has failed: %+v, %v", first, err)
		}
		b.engine.Delay(fake.OpStop, time.Second)
		stopped := b.stopSoon("alice", session.StopOptions{})
		b.pass(0)
		if s, err := restart(); err != nil || s.Token == first.Token {
			t.Errorf("one that is going away: %+v, %v", s, err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		b.apps.Apps[0].ID = "renamed"
		if _, err := restart(); !errors.Is(err, session.ErrUnknownApp) {
			t.Errorf("an app that is not there any more: %v", err)
		}
		b.wantState("alice", session.Ready)
	})
}

func TestRestartMeetsOthers(t *testing.T) {
	begin := func(b *bench) <-chan outcome {
		b.start("alice")
		b.engine.Delay(fake.OpStop, time.Second)
		done := b.restartSoon("alice")
		b.pass(0)
		return done
	}
	t.Run("a stop wins", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			done := begin(b)
			if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
				t.Error(err)
			}
			if out := <-done; !errors.Is(out.err, session.ErrStopped) {
				t.Errorf("got %+v, %v", out.session, out.err)
			}
			b.wantState("alice", session.Absent)
			b.wantNothing()
		})
	})
	t.Run("its caller leaves", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			first := b.start("alice")
			b.engine.Delay(fake.OpStop, time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := b.Restart(ctx, "alice"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			b.pass(2 * time.Second)
			if s, err := b.Get("alice"); err != nil || s.State != session.Ready || s.Token == first.Token {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	})
	t.Run("the daemon goes down", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			done := begin(b)
			b.halt()
			if out := <-done; !errors.Is(out.err, session.ErrClosing) {
				t.Errorf("got %+v, %v", out.session, out.err)
			}
			b.boot()
			b.start("alice")
		})
	})
	t.Run("the daemon drains", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("bob")
			done := begin(b)
			if err := b.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			if out := <-done; out.err != nil || out.session.State != session.Ready {
				t.Errorf("one that is under way: %+v, %v", out.session, out.err)
			}
			if _, err := b.Restart(t.Context(), "bob"); !errors.Is(err, session.ErrClosing) {
				t.Errorf("a new one: %v", err)
			}
			b.wantState("bob", session.Ready)
		})
	})
}
