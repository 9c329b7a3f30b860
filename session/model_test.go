package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// model drives one bench with random steps and keeps what must be true.
type model struct {
	b       *bench
	held    map[string][]*client // by uid
	waiting []<-chan outcome
}

func (m *model) uids() []string { return []string{"a", "aa", "b"} }

// client is somebody who is connected.
type client struct {
	*session.Attachment
	// excused says that his desktop was stopped by request or died: nothing else
	// may take it from him.
	excused bool
}

// excuse notes that what uid's clients look at is ending.
func (m *model) excuse(uid string) {
	for _, c := range m.held[uid] {
		c.excused = true
	}
}

func (m *model) start(t *rapid.T) {
	uid := rapid.SampledFrom(m.uids()).Draw(t, "uid")
	m.waiting = append(m.waiting, m.b.startSoon(uid, session.Request{App: "desk"}))
}

func (m *model) stop(t *rapid.T) {
	uid := rapid.SampledFrom(m.uids()).Draw(t, "uid")
	m.excuse(uid)
	m.b.stopSoon(uid)
}

func (m *model) attach(t *rapid.T) {
	uid := rapid.SampledFrom(m.uids()).Draw(t, "uid")
	s, err := m.b.Get(uid)
	if err != nil || !s.State.Running() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	a, err := m.b.Attach(ctx, s.Token, "vnc")
	if err != nil {
		t.Fatalf("attach to a running desktop: %v", err)
	}
	alive := false
	for _, c := range m.b.engine.Containers() {
		alive = alive || c.Labels["io.sage.uid"] == uid && c.State == runtime.StateRunning
	}
	m.held[uid] = append(m.held[uid], &client{a, !alive})
}

func (m *model) release(t *rapid.T) {
	uid := rapid.SampledFrom(m.uids()).Draw(t, "uid")
	if held := m.held[uid]; len(held) > 0 {
		held[0].Release()
		m.held[uid] = held[1:]
	}
}

func (m *model) die(t *rapid.T) {
	all := m.b.engine.Containers()
	if len(all) == 0 {
		return
	}
	c := rapid.SampledFrom(all).Draw(t, "container")
	m.excuse(c.Labels["io.sage.uid"])
	id := c.ID
	if rapid.Bool().Draw(t, "vanish") {
		m.b.engine.Vanish(id)
	} else {
		m.b.engine.Kill(id, 1, rapid.Bool().Draw(t, "oom"))
	}
}

func (m *model) fault(t *rapid.T) {
	op := rapid.SampledFrom([]string{
		fake.OpCreate, fake.OpStart, fake.OpStop, fake.OpRemove, fake.OpList, fake.OpInspect, fake.OpDial, fake.OpLogs,
	}).Draw(t, "op")
	switch rapid.IntRange(0, 3).Draw(t, "fault") {
	case 0:
		m.b.engine.Hang(op, 1)
	case 1:
		m.b.engine.Fail(op, 1, errors.New("injected"))
	case 2:
		m.b.engine.Fail(op, 1, runtime.ErrUnavailable)
	case 3:
		m.b.engine.Delay(op, 700*time.Millisecond)
	}
}

func (m *model) restart(*rapid.T) {
	m.b.reboot()
	for uid, held := range m.held { // The streams of the old daemon are cut.
		for _, a := range held {
			a.Release()
		}
		delete(m.held, uid)
	}
}

func (m *model) pass(t *rapid.T) {
	m.b.pass(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 300 * time.Millisecond, 3 * time.Second, 20 * time.Second, 70 * time.Second}).Draw(t, "time"))
}

// check looks at what must be true at any time.
func (m *model) check(t *rapid.T) {
	synctest.Wait()
	seen := map[string]bool{}
	for _, c := range m.b.engine.Containers() {
		uid := c.Labels["io.sage.uid"]
		if seen[uid] {
			t.Fatalf("%s has two containers", uid)
		}
		seen[uid] = true
	}
	for port, uid := range m.b.Leases() {
		if s, err := m.b.Get(uid); err != nil || s.State == session.Absent || s.State == session.Failed {
			t.Fatalf("port %d is lent to %s, which is %s", port, uid, s.State)
		}
	}
	for uid, held := range m.held {
		for _, a := range held {
			s, err := m.b.Get(uid)
			if a.Context().Err() != nil && !a.excused {
				t.Fatalf("a client of %s was cut off: %v", uid, context.Cause(a.Context()))
			}
			if err != nil || a.Context().Err() == nil && s.State != session.Occupied {
				t.Fatalf("%s has a client and is %s", uid, s.State)
			}
		}
	}
}

// rest lets everything end: afterwards nothing is left.
func (m *model) rest(t *rapid.T) {
	m.b.engine.Heal()
	m.b.pass(2 * time.Minute)
	connected := []string{}
	for uid, held := range m.held {
		if slices.ContainsFunc(held, func(a *client) bool { return a.Context().Err() == nil }) {
			connected = append(connected, m.b.opts.BaseName+uid)
		}
	}
	m.b.pass(2 * time.Minute)
	slices.Sort(connected)
	if got := m.b.names(); !slices.Equal(got, connected) {
		t.Fatalf("containers %q, those with clients are %q", got, connected)
	}
	for uid, held := range m.held {
		for _, a := range held {
			a.Release()
		}
		delete(m.held, uid)
	}
	m.b.pass(time.Minute)
	if got := m.b.names(); len(got) > 0 {
		t.Fatalf("left: %q", got)
	}
	if leases := m.b.Leases(); len(leases) > 0 {
		t.Fatalf("ports are lent still: %v", leases)
	}
	if n := m.b.Tokens(); n > 0 {
		t.Fatalf("%d tokens lead somewhere", n)
	}
	for _, w := range m.waiting {
		select {
		case <-w:
		default:
			t.Fatal("somebody waits for a start for ever")
		}
	}
	m.waiting = nil
}

// TestRandomLife drives random interleavings of all that can happen. Time is
// the bubble's.
func TestRandomLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed any
		bubble(t, func(_ *testing.T, b *bench) {
			// Rapid fails by a panic, which has to leave the bubble first.
			defer func() { failed = recover() }()
			m := &model{b: b, held: map[string][]*client{}}
			rt.Repeat(map[string]func(*rapid.T){
				"start": m.start, "start again": m.start, "stop": m.stop, "attach": m.attach, "attach again": m.attach,
				"release": m.release, "die": m.die, "fault": m.fault, "heal": func(*rapid.T) { m.b.engine.Heal() },
				"restart": m.restart, "pass": m.pass, "pass more": m.pass,
				"": m.check,
			})
			m.rest(rt)
		})
		if failed != nil {
			panic(failed)
		}
	})
}
