package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// scenario is something that a daemon does when it is killed.
type scenario struct {
	name string
	// before is done by a daemon that lives, during is what another goroutine does
	// when it dies.
	before, during func(b *bench)
	// instants is how many there are at least: a scenario that makes fewer calls
	// tests nothing.
	instants int
	// mute says that its desktop never answers.
	mute bool
}

func scenarios() []scenario {
	ctx := context.Background()
	start := func(b *bench) { _, _ = b.Start(ctx, "alice", session.Request{App: "desk"}) }
	stop := func(b *bench) { _ = b.Stop(ctx, "alice", session.StopOptions{}) }
	again := func(b *bench) { start(b); stop(b) }
	purge := func(b *bench) { _ = b.Stop(ctx, "alice", session.StopOptions{Purge: true}) }
	nothing := func(*bench) {}
	return []scenario{
		{name: "first start", before: nothing, during: start, instants: 8},
		{name: "start with other settings", before: again, during: func(b *bench) {
			_, _ = b.Start(ctx, "alice", session.Request{App: "desk", Env: map[string]any{"SIZE": "2x2"}})
		}, instants: 6},
		{name: "start with saved settings", before: again, during: func(b *bench) {
			_, _ = b.Start(ctx, "alice", session.Request{})
		}, instants: 6},
		{name: "start without the image", before: func(b *bench) { b.engine.RemoveImage(image) }, during: start, instants: 10},
		{name: "start that fails", before: func(b *bench) {
			b.engine.SetImage(image, fake.Image{Program: fake.Exits(1)})
		}, during: start, instants: 10},
		{name: "start with a port that is taken", before: func(b *bench) { b.hold(1) }, during: start, instants: 10},
		{name: "start that is stopped", mute: true, before: nothing, during: func(b *bench) {
			b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)})
			done := b.startSoon("alice", session.Request{App: "desk"})
			time.Sleep(time.Second)
			stop(b)
			<-done
		}, instants: 10},
		{name: "stop", before: start, during: stop, instants: 4},
		{name: "purge", before: start, during: purge, instants: 8},
		{name: "purge of what does not run", before: again, during: purge, instants: 4},
		{name: "restart", before: start, during: func(b *bench) { _, _ = b.Restart(ctx, "alice") }, instants: 10},
		{name: "idle", before: start, during: func(*bench) { time.Sleep(grace + time.Second) }, instants: 4},
		{name: "its own end", before: start, during: func(b *bench) {
			b.engine.Kill(b.container("alice").ID, 1, false)
			time.Sleep(2 * reconcile)
		}, instants: 8},
		{name: "start while stopping", before: start, during: func(b *bench) {
			done := b.stopSoon("alice", session.StopOptions{})
			time.Sleep(time.Millisecond)
			start(b)
			<-done
		}, instants: 10},
	}
}

// TestKilledAtEveryInstant kills the daemon at the beginning and at the end of
// every single call that a scenario makes to the engine: the next daemon finds
// what is there, and nothing else is left.
func TestKilledAtEveryInstant(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			instant := 1
			for ; killedAt(t, s, instant); instant++ {
				if t.Failed() {
					t.Fatalf("when killed at instant %d", instant)
				}
			}
			if instant <= s.instants {
				t.Errorf("there were %d instants, want at least %d", instant-1, s.instants)
			}
		})
	}
}

// killedAt plays a scenario with a daemon that dies at an instant, and tells
// whether it came so far.
func killedAt(t *testing.T, s scenario, instant int) (died bool) {
	bubble(t, func(t *testing.T, b *bench) {
		s.before(b)
		b.process.atInstant(instant, b.process.kill)
		done := make(chan struct{})
		dying := *b // What follows in the scenario asks the daemon that dies, and not the next one.
		go func() {
			defer close(done)
			s.during(&dying)
		}()
		select {
		case <-b.process.killed:
		case <-done:
		}
		synctest.Wait() // Both may come at the same moment.
		if died = b.process.isDead(); !died {
			b.process.atInstant(0, nil) // Its orderly end has instants, too.
			return
		}
		b.kill()
		b.engine.Heal()
		was := b.engine.Containers()
		b.boot()
		if s.mute {
			b.pass(startTimeout) // A half-made one has its time.
			b.wantContainers()
		} else {
			b.wantTrue(was)
		}
		b.engine.SetImage(image, fake.Image{Program: fake.VNC(vncPort)})
		b.start("alice")
		if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
			t.Errorf("purge: %v", err)
		}
		b.wantNothing()
		b.bury()
		<-done
	}, func(b *bench) {
		b.apps.Apps[0].Build = nil
	})
	return died
}

// wantTrue says that a daemon which has just come up knows what its predecessor
// has left: what ran goes on under its old address, the rest is gone.
func (b *bench) wantTrue(was []runtime.Container) {
	b.t.Helper()
	for _, c := range was {
		uid := c.Labels["io.sage.uid"]
		if !c.State.Alive() {
			continue
		}
		s, err := b.Get(uid)
		if token, _ := b.RecordOf(uid); err != nil || s.State != session.Ready || s.Token != token || token == "" {
			b.t.Errorf("%s ran with token %q and is %+v, %v", uid, token, s, err)
			continue
		}
		b.attach(s.Token).Release()
	}
	for _, c := range b.engine.Containers() {
		if s, err := b.Get(c.Labels["io.sage.uid"]); err != nil || !s.State.Running() {
			b.t.Errorf("container %s is %s, its desktop %s, %v", c.Name, c.State, s.State, err)
		}
	}
	for port, uid := range b.Leases() {
		if b.state(uid) != session.Ready {
			b.t.Errorf("port %d is lent to %s, which is %s", port, uid, b.state(uid))
		}
	}
}
