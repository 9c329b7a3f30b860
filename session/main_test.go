package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// TestMain looks for goroutines that are left behind. Those of a bubble end
// with it or its test fails.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The times of the tests. They pass in no time, in bubbles of testing/synctest.
const (
	startTimeout = 10 * time.Second
	imageTimeout = time.Minute
	queueTimeout = 30 * time.Second
	grace        = time.Minute
	idle         = 15 * time.Second
	stopGrace    = 5 * time.Second
	reconcile    = 5 * time.Second

	vncPort = 5900
	image   = "localhost/test/desk:1"
)

// bench is a Manager on a fake engine, inside a bubble.
type bench struct {
	*session.Manager
	t      *testing.T
	engine *fake.Runtime
	opts   session.Options
	apps   *catalog.Catalog

	process *process           // What the Manager runs in.
	end     context.CancelFunc // Ends Run.
	ran     chan struct{}
	dead    []grave
	planted int // Containers that a test has put onto the engine.
}

// grave is a Manager whose process was killed. Its goroutines hang where they
// were; only a test needs to be rid of them.
type grave struct {
	*session.Manager
	process *process
	ran     chan struct{}
}

// bubble runs f with a bench; each change is made before the Manager is.
func bubble(t *testing.T, f func(t *testing.T, b *bench), changes ...func(b *bench)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{
			t:      t,
			engine: fake.New(fake.Options{Images: map[string]fake.Image{image: {Program: fake.VNC(vncPort)}}}),
			apps:   &catalog.Catalog{Version: 1, Apps: []catalog.App{desk("desk")}},
		}
		b.opts = session.Options{
			Catalog: func() *catalog.Catalog { return b.apps },
			DataDir: dir, BaseName: "collab-vm-", Instance: "one",
			PublishIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), PortStart: 11000, PortEnd: 11100,
			StartTimeout: startTimeout, ImageTimeout: imageTimeout, StartsAtOnce: 1000, QueueTimeout: queueTimeout, FirstClientGrace: grace, IdleTimeout: idle,
			StopGrace: stopGrace, ReconcileInterval: reconcile, Logger: slog.New(slog.DiscardHandler),
		}
		for _, change := range changes {
			change(b)
		}
		b.boot()
		t.Cleanup(func() {
			b.engine.Heal()
			b.halt()
			b.bury()
			b.engine.Reset()
		})
		f(t, b)
	})
}

// desk is an app that the engine's image runs.
func desk(id string) catalog.App {
	return catalog.App{
		ID: id, Title: id, Image: image,
		Endpoints: []catalog.Endpoint{{Name: "vnc", Port: vncPort, Protocol: catalog.RFB}},
		Variables: []catalog.Variable{{Name: "SIZE", Type: catalog.String}, {Name: "DEPTH", Type: catalog.Integer}},
		Home:      &catalog.Home{Path: "/home/sage"},
		Aliases:   []string{id + "-alias"},
	}
}

// boot makes a Manager on the engine and the data that there are.
func (b *bench) boot() session.Summary {
	b.t.Helper()
	var err error
	b.process = newProcess(b.engine)
	if b.Manager, err = session.New(b.process, b.opts); err != nil {
		b.t.Fatal(err)
	}
	sum, _ := b.Recover(b.t.Context()) // Like the daemon, which goes on in any case.
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	b.end, b.ran = cancel, ran
	manager := b.Manager
	go func() {
		defer close(ran)
		manager.Run(ctx)
	}()
	synctest.Wait() // It listens.
	return sum
}

// halt ends the Manager as the daemon does.
func (b *bench) halt() {
	b.t.Helper()
	b.end()
	<-b.ran
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		b.t.Errorf("close: %v", err)
	}
}

// reboot ends the daemon and starts the next one.
func (b *bench) reboot() session.Summary {
	b.t.Helper()
	b.halt()
	return b.boot()
}

// kill ends the daemon in the middle of whatever it does. It does nothing where
// the process has died already.
func (b *bench) kill() {
	b.process.kill()
	b.end()
	b.dead = append(b.dead, grave{b.Manager, b.process, b.ran})
}

// bury lets the goroutines of killed daemons end.
func (b *bench) bury() {
	for _, g := range b.dead {
		close(g.process.buried)
		<-g.ran
		if err := g.Close(context.Background()); err != nil {
			b.t.Errorf("close: %v", err)
		}
	}
	b.dead = nil
}

// pass lets time go by, and everything that is due happen.
func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// start starts a desktop that has to come up.
func (b *bench) start(uid string) session.Session {
	b.t.Helper()
	s, err := b.Start(b.t.Context(), uid, session.Request{App: "desk"})
	if err != nil {
		b.t.Fatalf("start %s: %v", uid, err)
	}
	if s.UID != uid || s.State != session.Ready || s.Token == "" {
		b.t.Fatalf("start %s: got %+v", uid, s)
	}
	return s
}

// attach holds on to a desktop that has to be there.
func (b *bench) attach(token string) *session.Attachment {
	b.t.Helper()
	a, err := b.Attach(b.t.Context(), token, "vnc")
	if err != nil {
		b.t.Fatalf("attach: %v", err)
	}
	return a
}

// state is where a uid's desktop is.
func (b *bench) state(uid string) session.State {
	b.t.Helper()
	s, err := b.Get(uid)
	if err != nil {
		b.t.Fatal(err)
	}
	return s.State
}

func (b *bench) wantState(uid string, want session.State) {
	b.t.Helper()
	if got := b.state(uid); got != want {
		b.t.Fatalf("%s is %s, want %s", uid, got, want)
	}
}

// names are those of the engine's containers, sorted.
func (b *bench) names() []string {
	names := []string{}
	for _, c := range b.engine.Containers() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

func (b *bench) wantContainers(want ...string) {
	b.t.Helper()
	slices.Sort(want)
	if got := b.names(); !slices.Equal(got, want) {
		b.t.Errorf("containers: got %q, want %q", got, want)
	}
}

// container is the one that belongs to uid.
func (b *bench) container(uid string) runtime.Container {
	b.t.Helper()
	for _, c := range b.engine.Containers() {
		if c.Name == b.opts.BaseName+uid {
			return c
		}
	}
	b.t.Fatalf("%s has no container", uid)
	return runtime.Container{}
}

// files are what is in the data directory.
func (b *bench) files() []string {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.opts.DataDir, "sessions"))
	if err != nil {
		b.t.Fatal(err)
	}
	files := []string{}
	for _, e := range entries {
		files = append(files, e.Name())
	}
	return files
}

// wantNothing says that nothing was left behind.
func (b *bench) wantNothing() {
	b.t.Helper()
	b.wantContainers()
	if leases := b.Leases(); len(leases) > 0 {
		b.t.Errorf("ports are lent still: %v", leases)
	}
	if n := b.Tokens(); n > 0 {
		b.t.Errorf("%d tokens lead somewhere", n)
	}
	if homes := b.engine.Volumes(); len(homes) > 0 {
		b.t.Errorf("homes are left: %q", homes)
	}
	if files := b.files(); len(files) > 0 {
		b.t.Errorf("files are left: %q", files)
	}
}

// outcome is what a call in the background came to.
type outcome struct {
	session session.Session
	err     error
}

// startSoon starts a desktop in the background.
func (b *bench) startSoon(uid string, req session.Request) <-chan outcome {
	done := make(chan outcome, 1)
	manager := b.Manager
	go func() {
		s, err := manager.Start(context.Background(), uid, req)
		done <- outcome{s, err}
	}()
	return done
}

// restartSoon restarts a desktop in the background.
func (b *bench) restartSoon(uid string) <-chan outcome {
	done := make(chan outcome, 1)
	manager := b.Manager
	go func() {
		s, err := manager.Restart(context.Background(), uid)
		done <- outcome{s, err}
	}()
	return done
}

// stopSoon stops a desktop in the background.
func (b *bench) stopSoon(uid string, opts session.StopOptions) <-chan error {
	done := make(chan error, 1)
	manager := b.Manager
	go func() { done <- manager.Stop(context.Background(), uid, opts) }()
	return done
}

// hold takes all of the range's ports but some, as other programs would.
func (b *bench) hold(except int) (release func()) {
	var all []func()
	for port := b.opts.PortStart + except; port < b.opts.PortEnd; port++ {
		all = append(all, b.engine.HoldPort(uint16(port)))
	}
	return func() {
		for _, one := range all {
			one()
		}
	}
}

// failureOf takes a start's error apart.
func failureOf(t *testing.T, err error) *session.StartError {
	t.Helper()
	var f *session.StartError
	if !errors.As(err, &f) || !errors.Is(err, session.ErrStartFailed) {
		t.Fatalf("got %v, want a StartError", err)
	}
	return f
}

// each calls f for 0 to n-1 at once and waits.
func each(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// soakUntil is when the tests with a random course may end: at once, or after
// the time that SAGE_SOAK gives.
func soakUntil(t *testing.T) time.Time {
	text := os.Getenv("SAGE_SOAK")
	if text == "" {
		return time.Now()
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("SAGE_SOAK: %v", err)
	}
	return time.Now().Add(d)
}

func uidOf(i int) string { return fmt.Sprintf("uid-%d", i) }
