package session_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

const (
	// modelSteps is how many random steps a run of the tests makes at least.
	modelSteps = 100_000
	// stepsPerWalk is how many of them one walk has on average.
	stepsPerWalk = 60
	// settled is how long an engine without faults may take until everything is
	// as it should be: one call that hung, and a few rounds of reconciling.
	settled = 2 * time.Minute
	// clockLate is how late a clock may be seen to have run out.
	clockLate = 200 * time.Millisecond
)

// model drives one bench with random steps and keeps what must be true.
type model struct {
	b       *bench
	held    map[string][]*client // by uid
	waiting []<-chan outcome
	// known are the last addresses that were good, arriving are those who use them.
	known    map[string]string // by uid
	arriving []<-chan *session.Attachment
	// healthy is since when the engine has had no fault to come; zero while it has.
	healthy time.Time
	// strangers are the containers that no desktop has, and since when.
	strangers map[runtime.ID]time.Time
	// stopping are the uids that are Stopping, and since when.
	stopping map[string]time.Time
	// doomed are the containers that a daemon was stopping at its end: what it has
	// asked of the engine may come to pass when the next one has adopted them.
	doomed map[runtime.ID]bool
	// left are the containers of desktops that ran when the last daemon ended; when
	// that was, and whose they are.
	left map[runtime.ID]leftover
	// copies are the containers that a bystander made in the place of a desktop's,
	// booted is when the daemon came up.
	copies map[runtime.ID]bool
	booted time.Time
	// strange are containers that a bystander made or renamed: they are nobody's desktop.
	strange map[runtime.ID]bool
	// worked are the uids in whose homes somebody has worked, purges the purges of a
	// uid that have been asked for and not been answered.
	worked map[string]bool
	purges map[string][]<-chan error
	steps  int
}

type leftover struct {
	uid   string
	since time.Time
}

func (m *model) uids() []string { return []string{"a", "aa", "b"} }

func (m *model) anyUID(t *rapid.T) string { return rapid.SampledFrom(m.uids()).Draw(t, "uid") }

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
	for id, l := range m.left {
		if l.uid == uid {
			delete(m.left, id)
		}
	}
}

func (m *model) start(t *rapid.T) {
	m.waiting = append(m.waiting, m.b.startSoon(m.anyUID(t), session.Request{App: "desk"}))
}

// renew restarts a desktop.
func (m *model) renew(t *rapid.T) {
	uid := m.anyUID(t)
	m.excuse(uid)
	m.waiting = append(m.waiting, m.b.restartSoon(uid))
}

func (m *model) stop(t *rapid.T) {
	uid := m.anyUID(t)
	m.excuse(uid)
	purge := rapid.Bool().Draw(t, "purge")
	done := m.b.stopSoon(uid, session.StopOptions{Purge: purge})
	if purge {
		delete(m.worked, uid)
		m.purges[uid] = append(m.purges[uid], done)
	}
}

// attach connects to a desktop that runs.
func (m *model) attach(t *rapid.T) {
	uid := m.anyUID(t)
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
	m.hold(a)
}

// arrive connects with an address that was good once: the desktop may be on its
// way out, and then the next one is waited for.
func (m *model) arrive(t *rapid.T) {
	uid := m.anyUID(t)
	if s, err := m.b.Get(uid); err == nil && s.State.Running() {
		m.known[uid] = s.Token
	}
	manager, token := m.b.Manager, m.known[uid]
	arrived := make(chan *session.Attachment, 1)
	m.arriving = append(m.arriving, arrived)
	go func() {
		defer close(arrived)
		ctx, cancel := context.WithTimeout(context.Background(), settled)
		defer cancel()
		if a, err := manager.Attach(ctx, token, "vnc"); err == nil {
			arrived <- a
		}
	}()
}

// receive takes in those who have arrived.
func (m *model) receive() {
	m.arriving = slices.DeleteFunc(m.arriving, func(arrived <-chan *session.Attachment) bool {
		select {
		case a := <-arrived:
			if a != nil {
				m.hold(a)
			}
			return true
		default:
			return false
		}
	})
}

// hold keeps a client who is connected.
func (m *model) hold(a *session.Attachment) {
	alive := slices.ContainsFunc(m.b.engine.Containers(), func(c runtime.Container) bool {
		return c.ID == m.b.ContainerOf(a.UID) && c.State == runtime.StateRunning && !m.doomed[c.ID]
	})
	m.held[a.UID] = append(m.held[a.UID], &client{a, !alive || a.Context().Err() != nil})
}

func (m *model) release(t *rapid.T) {
	uid := m.anyUID(t)
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
	if rapid.Bool().Draw(t, "vanish") {
		m.b.engine.Vanish(c.ID)
	} else {
		m.b.engine.Kill(c.ID, 1, rapid.Bool().Draw(t, "oom"))
	}
}

// meddle lets a bystander do to a container or the volumes what people, and programs
// that look after containers, do.
func (m *model) meddle(t *rapid.T) {
	all := m.b.engine.Containers()
	if len(all) == 0 {
		m.prune(t)
		return
	}
	c := rapid.SampledFrom(all).Draw(t, "container")
	uid := c.Labels["io.sage.uid"]
	m.excuse(uid)
	name := fmt.Sprintf("bystander-%d", m.steps)
	switch rapid.SampledFrom([]string{"recreate", "copy", "copy and remove", "rename", "prune", "kill"}).Draw(t, "how") {
	case "recreate":
		if id, err := m.b.engine.Recreate(c.ID); err == nil {
			m.strange[id], m.copies[id] = m.strange[c.ID], true
		}
	case "copy":
		if id, err := m.b.engine.Copy(c.ID, name); err == nil {
			m.strange[id] = true
		}
	case "copy and remove":
		if id, err := m.b.engine.Copy(c.ID, name); err == nil {
			m.strange[id] = true
			m.b.engine.Vanish(c.ID)
			m.b.engine.Rename(id, c.Name)
			m.strange[id], m.copies[id] = m.strange[c.ID], true
		}
	case "rename":
		if m.b.engine.Rename(c.ID, name) {
			m.strange[c.ID] = true
		}
	case "prune":
		m.prune(t)
	case "kill":
		m.b.engine.Kill(c.ID, 137, false)
	}
}

func (m *model) prune(*rapid.T) {
	for _, name := range m.b.engine.Prune() {
		for _, uid := range m.uids() {
			if m.b.home(uid) == name {
				delete(m.worked, uid)
			}
		}
	}
}

func (m *model) fault(t *rapid.T) {
	m.healthy = time.Time{}
	op := rapid.SampledFrom([]string{
		fake.OpCreate, fake.OpStart, fake.OpStop, fake.OpRemove, fake.OpList, fake.OpInspect, fake.OpDial, fake.OpLogs,
		fake.OpVolume, fake.OpEnsureVolume, fake.OpRemoveVolume, fake.OpEvents,
	}).Draw(t, "op")
	switch rapid.IntRange(0, 7).Draw(t, "fault") {
	case 0:
		m.b.engine.Hang(op, 1)
	case 1:
		m.b.engine.Fail(op, 1, errors.New("injected"))
	case 2:
		m.b.engine.Fail(op, 1, runtime.ErrUnavailable)
	case 3:
		m.b.engine.Delay(op, 700*time.Millisecond)
	case 4:
		m.b.engine.Lose(op, 1)
	case 5:
		m.b.engine.Unavailable(true)
	case 6:
		m.b.engine.EndEvents()
	case 7:
		m.b.engine.LagList(rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, 20 * time.Second}).Draw(t, "lag"))
	}
}

func (m *model) heal(*rapid.T) {
	m.b.engine.Heal()
	m.b.engine.LagList(0)
	m.healthy = time.Now()
}

// restart ends the daemon in an orderly way, kill does not; both start the next
// one. On an engine without faults it knows every desktop that its predecessor
// had, under the same address.
func (m *model) restart(t *rapid.T) { m.replace(t, m.b.halt) }
func (m *model) kill(t *rapid.T)    { m.replace(t, m.b.kill) }

func (m *model) replace(t *rapid.T, end func()) {
	before := map[string]session.Session{}
	clear(m.left)
	for _, c := range m.b.engine.Containers() {
		uid := c.Labels["io.sage.uid"]
		s, err := m.b.Get(uid)
		switch {
		case m.strange[c.ID]:
		case err == nil && s.State.Running() && c.State.Alive():
			before[uid] = s
			m.left[c.ID] = leftover{uid, time.Now()}
		case err == nil && s.State == session.Stopping:
			m.doomed[c.ID] = true
		}
	}
	calm := !m.healthy.IsZero() && time.Since(m.healthy) > settled
	end()
	m.booted = time.Now()
	m.b.boot()
	m.stopping = map[string]time.Time{}
	for _, held := range m.held { // Their streams are cut.
		for _, a := range held {
			a.Release()
		}
	}
	clear(m.held)
	m.arriving = nil
	m.waiting = slices.DeleteFunc(m.waiting, func(w <-chan outcome) bool { return len(w) == 0 })
	for uid, was := range before {
		if is, err := m.b.Get(uid); calm && (err != nil || !is.State.Running() || is.Token != was.Token) {
			t.Fatalf("%s was %+v and is %+v, %v, after a restart", uid, was, is, err)
		}
	}
}

func (m *model) pass(t *rapid.T) {
	m.b.pass(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 300 * time.Millisecond, 3 * time.Second, 20 * time.Second, 70 * time.Second}).Draw(t, "time"))
}

// check looks at what must be true at any time.
func (m *model) check(t *rapid.T) {
	synctest.Wait()
	m.steps++
	m.receive()
	m.work()
	for _, i := range invariants() {
		if wrong := i.broken(m); wrong != "" {
			t.Fatalf("%s But %s.", i.promise, wrong)
		}
	}
}

// work leaves something in the home of everybody whose desktop runs, unless a purge
// of it may still come.
func (m *model) work() {
	for _, uid := range m.uids() {
		m.purges[uid] = slices.DeleteFunc(m.purges[uid], func(done <-chan error) bool { return len(done) > 0 })
		if s, err := m.b.Get(uid); err == nil && s.State.Running() && len(m.purges[uid]) == 0 && m.b.engine.WriteVolume(m.b.home(uid), "thesis", []byte(uid)) {
			m.worked[uid] = true
		}
	}
}

// homeLost looks for the homes in which somebody has worked.
func (m *model) homeLost() string {
	for uid := range m.worked {
		if got := m.b.engine.ReadVolume(m.b.home(uid), "thesis"); string(got) != uid {
			return fmt.Sprintf("that of %s holds %q", uid, got)
		}
	}
	return ""
}

// invariant is a promise that holds at every moment. The list in
// docs/architecture.md is made from these.
type invariant struct {
	promise string
	// broken says what is wrong; empty for nothing.
	broken func(m *model) string
}

func invariants() []invariant {
	return []invariant{
		{"A uid has at most one container.", (*model).twoContainers},
		{"Every container with our labels is known, or is being removed.", (*model).unknownContainer},
		{"A connected client's container is never stopped, but by request, at the end of its lifetime, or when it has ended by itself.",
			(*model).clientCutOff},
		{"A desktop that runs when the daemon ends is neither stopped nor replaced before its idle time has begun anew and is over.",
			(*model).leftoverTaken},
		{"A desktop without clients is stopped as soon as its time is over.", (*model).idleTooLong},
		{"What is being stopped is gone in the end, whatever the engine did meanwhile.", (*model).stoppingForEver},
		{"Every port that is lent has an owner.", (*model).portWithoutOwner},
		{"Every stream's address leads to a desktop.", (*model).tokenWithoutDesktop},
		{"No more starts are at work than may be, and none waits while there is room.", (*model).queueAstray},
		{"A home in which somebody has worked is deleted by a purge, and by nothing else that Sage does.", (*model).homeLost},
		{"No desktop is started beyond the number of those that there may be.", (*model).tooMany},
	}
}

func (m *model) twoContainers() string {
	seen := map[string]bool{}
	for _, c := range m.b.engine.Containers() {
		uid := c.Labels["io.sage.uid"]
		if m.strange[c.ID] {
			continue
		}
		if seen[uid] {
			return uid + " has two"
		}
		seen[uid] = true
	}
	return ""
}

// calmSince tells whether the engine has had no faults for so long, at least
// since then, that everything has to be in order.
func (m *model) calmSince(then time.Time) bool {
	return !m.healthy.IsZero() && time.Since(m.healthy) > settled && time.Since(then) > settled
}

func (m *model) unknownContainer() string {
	found := map[runtime.ID]time.Time{}
	for _, c := range m.b.engine.Containers() {
		uid := c.Labels["io.sage.uid"]
		s, err := m.b.Get(uid)
		if m.copies[c.ID] && c.CreatedAt.Before(m.booted) {
			continue // It may be that of a data directory from a backup.
		}
		if err != nil || m.strange[c.ID] || s.State != session.Absent && s.State != session.Failed {
			continue
		}
		since, known := m.strangers[c.ID]
		if !known {
			since = time.Now()
		}
		if m.calmSince(since) {
			return fmt.Sprintf("%s is %s since %s, and %s is %s", c.Name, c.State, since, uid, s.State)
		}
		found[c.ID] = since
	}
	m.strangers = found
	return ""
}

func (m *model) clientCutOff() string {
	for uid, held := range m.held {
		for _, a := range held {
			s, err := m.b.Get(uid)
			if a.Context().Err() != nil && !a.excused {
				return fmt.Sprintf("a client of %s was cut off: %v", uid, context.Cause(a.Context()))
			}
			if err != nil || a.Context().Err() == nil && s.State != session.Occupied {
				return fmt.Sprintf("%s has a client and is %s, %v", uid, s.State, err)
			}
		}
	}
	return ""
}

func (m *model) leftoverTaken() string {
	there := map[runtime.ID]bool{}
	for _, c := range m.b.engine.Containers() {
		there[c.ID] = true
	}
	for id, l := range m.left {
		s, err := m.b.Get(l.uid)
		switch {
		case time.Since(l.since) >= idle, m.b.Adopted(l.uid) && (err != nil || !s.State.Running()):
			delete(m.left, id) // A young one that never answers fails.
		case !there[id]:
			return fmt.Sprintf("that of %s, which is %s, has gone %s after the daemon", l.uid, s.State, time.Since(l.since))
		}
	}
	return ""
}

func (m *model) idleTooLong() string {
	for _, s := range m.b.List() {
		if s.State == session.Ready && time.Since(s.IdleDeadline) > clockLate {
			return fmt.Sprintf("%s is there %s after its time", s.UID, time.Since(s.IdleDeadline))
		}
	}
	return ""
}

func (m *model) stoppingForEver() string {
	found := map[string]time.Time{}
	for _, s := range m.b.List() {
		if s.State != session.Stopping {
			continue
		}
		since, known := m.stopping[s.UID]
		if !known {
			since = time.Now()
		}
		if m.calmSince(since) {
			return fmt.Sprintf("%s is stopping since %s", s.UID, since)
		}
		found[s.UID] = since
	}
	m.stopping = found
	return ""
}

func (m *model) portWithoutOwner() string {
	for port, uid := range m.b.Leases() {
		if s, err := m.b.Get(uid); err != nil || s.State == session.Absent || s.State == session.Failed {
			return fmt.Sprintf("port %d is lent to %s, which is %s, %v", port, uid, s.State, err)
		}
	}
	return ""
}

func (m *model) tokenWithoutDesktop() string {
	desktops := 0
	for _, s := range m.b.List() {
		if s.State.Running() || s.State == session.Stopping {
			desktops++
		}
	}
	if n := m.b.Tokens(); n > desktops {
		return fmt.Sprintf("there are %d addresses for %d desktops", n, desktops)
	}
	return ""
}

func (m *model) queueAstray() string {
	free, waiting := m.b.Queue()
	atWork, places := 0, map[int]string{}
	for _, s := range m.b.List() {
		switch {
		case s.QueuePosition > 0:
			if other, taken := places[s.QueuePosition]; taken || s.Phase != session.PhaseQueued || s.State != session.Preparing {
				return fmt.Sprintf("%s is %s in phase %q at place %d, where %q is", s.UID, s.State, s.Phase, s.QueuePosition, other)
			}
			places[s.QueuePosition] = s.UID
		case (s.State == session.Preparing || s.State == session.Starting) && s.Phase != session.PhaseImage && !m.b.Adopted(s.UID):
			atWork++
		}
	}
	if free < 0 || free > 0 && waiting > 0 || atWork > m.b.opts.StartsAtOnce-free || len(places) > waiting {
		return fmt.Sprintf("%d are at work, %d may begin, %d wait, at %v", atWork, free, waiting, places)
	}
	return ""
}

func (m *model) tooMany() string {
	n, adopted := 0, 0
	for _, s := range m.b.List() {
		if s.State != session.Failed && s.Container != "" {
			n++
		}
		if m.b.Adopted(s.UID) {
			adopted++
		}
	}
	if n > max(m.b.opts.MaxDesktops, adopted) {
		return fmt.Sprintf("there are %d, of which %d were adopted", n, adopted)
	}
	return ""
}

// rest lets everything end: afterwards nothing is left.
func (m *model) rest(t *rapid.T, goroutines int) {
	m.heal(t)
	for _, all := range []map[runtime.ID]bool{m.strange, m.copies} {
		for id := range all {
			m.b.engine.Vanish(id)
		}
	}
	m.b.pass(settled)
	m.receive()
	connected := []string{}
	for uid, held := range m.held {
		if slices.ContainsFunc(held, func(a *client) bool { return a.Context().Err() == nil }) {
			connected = append(connected, m.b.opts.BaseName+uid)
		}
	}
	m.b.pass(settled)
	slices.Sort(connected)
	if got := m.b.names(); !slices.Equal(got, connected) {
		t.Fatalf("containers %q, those with clients are %q", got, connected)
	}
	for _, held := range m.held {
		for _, a := range held {
			a.Release()
		}
	}
	clear(m.held)
	m.b.pass(settled)
	if got := m.b.names(); len(got) > 0 {
		t.Fatalf("left: %q", got)
	}
	if leases := m.b.Leases(); len(leases) > 0 {
		t.Fatalf("ports are lent still: %v", leases)
	}
	if n := m.b.Tokens(); n > 0 {
		t.Fatalf("%d tokens lead somewhere", n)
	}
	if free, waiting := m.b.Queue(); free != m.b.opts.StartsAtOnce || waiting > 0 {
		t.Fatalf("%d starts may begin, %d wait", free, waiting)
	}
	for _, w := range m.waiting {
		if len(w) == 0 {
			t.Fatal("somebody waits for a start for ever")
		}
	}
	m.waiting = nil
	m.b.bury()
	synctest.Wait()
	if n, stacks := goroutinesOfBubble(); n != goroutines {
		t.Fatalf("%d goroutines, %d before:\n%s", n, goroutines, stacks)
	}
}

// goroutinesOfBubble counts them, and says what they do.
func goroutinesOfBubble() (n int, stacks string) {
	buf := make([]byte, 1<<20)
	stacks = string(buf[:goruntime.Stack(buf, true)])
	return strings.Count(stacks, ", synctest bubble "), stacks
}

// walk is one random interleaving of all that can happen, in a bubble's time. It
// gives the number of its steps.
func walk(t *testing.T, rt *rapid.T) int {
	var failed any
	steps := 0
	bubble(t, func(_ *testing.T, b *bench) {
		// Rapid fails by a panic, which has to leave the bubble first.
		defer func() { failed = recover() }()
		m := &model{b: b, held: map[string][]*client{}, known: map[string]string{}, doomed: map[runtime.ID]bool{}, strange: map[runtime.ID]bool{}, copies: map[runtime.ID]bool{}, worked: map[string]bool{}, purges: map[string][]<-chan error{}, left: map[runtime.ID]leftover{}, healthy: time.Now()}
		synctest.Wait()
		goroutines, _ := goroutinesOfBubble()
		rt.Repeat(map[string]func(*rapid.T){
			"start": m.start, "start again": m.start, "stop": m.stop, "renew": m.renew, "attach": m.attach, "arrive": m.arrive,
			"release": m.release, "die": m.die, "meddle": m.meddle, "fault": m.fault, "heal": m.heal, "heal again": m.heal,
			"restart": m.restart, "kill": m.kill, "pass": m.pass, "pass more": m.pass,
			"": m.check,
		})
		m.rest(rt, goroutines)
		steps = m.steps
	}, func(b *bench) { // So that somebody has to wait, or to go.
		b.opts.StartsAtOnce, b.opts.MaxDesktops, b.opts.QueueTimeout = 1, 2, queueTimeout
	})
	// Rapid tells failures apart by where they come from; to run out of numbers while
	// it looks for a shorter walk is none.
	switch fmt.Sprintf("%T", failed) {
	case "<nil>":
	case "rapid.invalidData":
		panic(failed)
	default:
		panic(failed)
	}
	return steps
}

// TestRandomLife drives random interleavings of all that can happen until there
// were enough steps, or for as long as SAGE_SOAK says.
func TestRandomLife(t *testing.T) {
	for name, value := range map[string]int{"rapid.checks": 50, "rapid.steps": stepsPerWalk} {
		if err := flag.Set(name, strconv.Itoa(value)); err != nil {
			t.Fatal(err)
		}
	}
	end := soakUntil(t)
	steps, walks := 0, 0
	for !t.Failed() && (steps < modelSteps || time.Now().Before(end)) {
		rapid.Check(t, func(rt *rapid.T) {
			steps += walk(t, rt)
			walks++
		})
	}
	t.Logf("%d random steps in %d walks", steps, walks)
}
