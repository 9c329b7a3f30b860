package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDrainFinishesRequests: who has asked before the end gets an answer, and
// whoever asks meanwhile is told.
func TestDrainFinishesRequests(t *testing.T) {
	b := drainBench(t, time.Hour)
	asked := b.askSlowly(t)
	b.end()
	b.awaitUnready(t)
	if status := b.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: status %d", status)
	}
	if strings.Contains(b.log.String(), "nothing is under way") {
		t.Error("it did not wait")
	}
	b.gate.open()
	if status := <-asked; status != http.StatusNoContent {
		t.Errorf("the request that was under way: status %d", status)
	}
	b.awaitEnd(t)
	b.logged(t, "streams=0", "until=", "nothing is under way")
}

func TestDrainEndsEarly(t *testing.T) {
	for _, test := range []struct {
		name    string
		timeout time.Duration
		hurry   bool
		want    string
	}{
		{"time-out", time.Millisecond, false, "the drain time-out is over"},
		{"no waiting", 0, false, "the drain time-out is over"},
		{"hurry", time.Hour, true, "no patience"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := drainBench(t, test.timeout)
			asked := b.askSlowly(t)
			b.end()
			if test.hurry {
				// Not asked for: a question is a request, and under way a moment longer than
				// its answer.
				eventually(t, "it goes down", func() bool { return strings.Contains(b.log.String(), "going down") })
				b.hurry(errors.New(test.want))
			}
			eventually(t, "it waits no longer", func() bool { return strings.Contains(b.log.String(), "does not wait any longer") })
			b.gate.open()
			<-asked
			b.awaitEnd(t)
			b.logged(t, test.want, "1 requests under way")
		})
	}
}

// drained is a daemon that runs until end is called.
type drained struct {
	d      *Daemon
	client *http.Client
	gate   *gate
	end    context.CancelFunc
	hurry  context.CancelCauseFunc
	ran    chan error
	log    diary
}

// diary is a log that can be read while it is written.
type diary struct {
	mu   sync.Mutex
	text strings.Builder
}

func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(b)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

func drainBench(t *testing.T, timeout time.Duration) *drained {
	t.Helper()
	noEngine(t)
	b := &drained{
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute},
		gate:   &gate{},
		ran:    make(chan error, 1),
	}
	c := config(t)
	c.Engine = Engine{Kind: EngineDocker, Host: engineBehind(t, b.gate)}
	c.DrainTimeout = timeout
	c.Logger = slog.New(slog.NewTextHandler(&b.log, nil))
	var err error
	if b.d, err = New(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	hurry, now := context.WithCancelCause(context.Background())
	b.end, b.hurry = end, now
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.ran <- b.d.Run(ctx, hurry)
	}()
	t.Cleanup(func() {
		b.gate.open()
		end()
		now(nil)
		<-ended
	})
	return b
}

// get gives a call's status.
func (b *drained) get(t *testing.T, path string) int {
	t.Helper()
	status, _ := b.read(t, path)
	return status
}

// read gives a call's status and text.
func (b *drained) read(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := b.client.Get("http://" + b.d.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// askSlowly purges a uid, which lasts until the gate opens, and gives the status
// then; 0 where there was no answer.
func (b *drained) askSlowly(t *testing.T) <-chan int {
	t.Helper()
	arrived := b.gate.shut()
	status := make(chan int, 1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+b.d.Addr().String()+"/api/vm/alice?purge=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		resp, err := b.client.Do(req)
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	select {
	case <-arrived:
	case <-time.After(time.Minute):
		t.Fatal("the engine was not asked")
	}
	return status
}

func (b *drained) awaitUnready(t *testing.T) {
	t.Helper()
	eventually(t, "it is not ready", func() bool { return b.get(t, "/readyz") == http.StatusServiceUnavailable })
}

func (b *drained) awaitEnd(t *testing.T) {
	t.Helper()
	select {
	case err := <-b.ran:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the daemon does not end")
	}
}

func (b *drained) logged(t *testing.T, all ...string) {
	t.Helper()
	for _, want := range all {
		eventually(t, "the log has "+want, func() bool { return strings.Contains(b.log.String(), want) })
	}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// gate holds up the engine's answers while it is shut.
type gate struct {
	mu      sync.Mutex
	opened  chan struct{} // Nil while it is open.
	arrived chan struct{}
}

// shut gives what is closed when somebody stands before the gate.
func (g *gate) shut() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened, g.arrived = make(chan struct{}), make(chan struct{})
	return g.arrived
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// pass waits until the gate is open.
func (g *gate) pass() {
	g.mu.Lock()
	opened, arrived := g.opened, g.arrived
	g.arrived = nil
	g.mu.Unlock()
	if opened == nil {
		return
	}
	if arrived != nil {
		close(arrived)
	}
	<-opened
}
