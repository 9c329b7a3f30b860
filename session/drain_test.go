package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sage/runtime/fake"
	"sage/session"
)

func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		running := b.start("running")
		b.start("stopping")
		b.engine.Delay(fake.OpRemove, 10*time.Second)
		stopped := b.stopSoon("stopping", session.StopOptions{})
		b.pass(time.Second)
		waiting := b.startSoon("stopping", session.Request{})
		b.engine.SetImage(image, fake.Image{Program: fake.SlowVNC(vncPort, 5*time.Second)})
		starting := b.startSoon("starting", session.Request{App: "desk"})
		b.pass(time.Second)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain of a start that takes longer: %v", err)
		}
		drained := make(chan error, 1)
		go func() { drained <- b.Drain(context.Background()) }()
		b.pass(0)

		if _, err := b.Start(t.Context(), "new", session.Request{App: "desk"}); !errors.Is(err, session.ErrClosing) {
			t.Errorf("a new start: %v", err)
		}
		if out := <-waiting; !errors.Is(out.err, session.ErrClosing) {
			t.Errorf("a start that waits for a stop: %v", out.err)
		}
		if err := <-stopped; err != nil {
			t.Errorf("a stop that is under way: %v", err)
		}
		if out := <-starting; out.err != nil || out.session.State != session.Ready {
			t.Errorf("a start that is under way: %+v, %v", out.session, out.err)
		}
		if err := <-drained; err != nil {
			t.Errorf("drain: %v", err)
		}
		if s, err := b.Start(t.Context(), "running", session.Request{App: "desk"}); err != nil || s.Token != running.Token {
			t.Errorf("a desktop that runs: %+v, %v", s, err)
		}
		b.attach(running.Token).Release()
		b.engine.Heal()
		b.pass(idle + time.Second) // The clocks go on.
		b.wantState("running", session.Absent)
	})
}

func TestStopAll(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		each(40, func(i int) { b.start(uidOf(i)) })
		held := b.attach(b.start("occupied").Token)
		defer held.Release()
		b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)})
		starting := b.startSoon("starting", session.Request{App: "desk"})
		b.pass(time.Second)
		if err := b.StopAll(t.Context()); err != nil {
			t.Error(err)
		}
		if out := <-starting; !errors.Is(out.err, session.ErrStopped) {
			t.Errorf("got %v", out.err)
		}
		b.wantContainers()
		if n := len(b.List()); n != 0 {
			t.Errorf("%d desktops are left", n)
		}
	})
	t.Run("the engine is away", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			b.start("bob")
			b.engine.Unavailable(true)
			b.pass(reconcile)
			err := b.StopAll(t.Context())
			for _, uid := range []string{"alice", "bob"} {
				if err == nil || !strings.Contains(err.Error(), `stop "`+uid+`"`) {
					t.Errorf("got %v", err)
				}
				b.wantState(uid, session.Ready)
			}
		})
	})
}
