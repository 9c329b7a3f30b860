package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/runtime/fake"
	"sage/session"
)

func TestDrain(t *testing.T) {
	b := newBench(t)
	url := b.start("alice").URL
	ws, _, err := b.open(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if _, _, err := ws.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	drained := make(chan error, 2)
	go func() { drained <- b.manager.Drain(context.Background()) }()
	go func() { drained <- b.api.Drain(context.Background()) }()
	b.eventually("it is not ready", func() bool { return b.call(http.MethodGet, "/readyz", "").status == http.StatusServiceUnavailable })
	if err := <-drained; err != nil { // There is no start to wait for.
		t.Error(err)
	}
	for _, call := range []struct{ method, path, body string }{
		{http.MethodGet, "/readyz", ""},
		{http.MethodPost, "/api/vm/any/bob", `{"vm":"desk"}`},
	} {
		a := b.call(call.method, call.path, call.body)
		wantProblem(t, a, http.StatusServiceUnavailable, "shutting_down")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s has no Retry-After", call.path)
		}
	}
	_, resp, err := b.open(url, nil)
	if err == nil || resp == nil {
		t.Fatalf("a new stream: %v", err)
	}
	wantProblem(t, b.read(resp), http.StatusServiceUnavailable, "shutting_down")
	for _, path := range []string{"/healthz", "/api/vm/list", "/api/vm/ws/alice", "/api/vm/alice"} {
		if a := b.call(http.MethodGet, path, ""); a.status != http.StatusOK {
			t.Errorf("GET %s: status %d: %s", path, a.status, a.body)
		}
	}
	if a := b.post("alice", `{"vm":"desk"}`); a.status != http.StatusOK {
		t.Errorf("a desktop that runs: status %d: %s", a.status, a.body)
	}
	if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// TestDrainHandsOut: a start that is under way ends like any other, for the
// desktop and for who has asked; meanwhile desktops can be stopped.
func TestDrainHandsOut(t *testing.T) {
	b := newBench(t)
	b.start("alice")
	listens := make(chan struct{})
	b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
		select {
		case <-listens:
		case <-ctx.Done():
		}
		return fake.VNC(vncPort)(ctx, p)
	}})
	asked := make(chan answer, 1)
	go func() { asked <- b.post("bob", `{"vm":"desk"}`) }()
	b.eventually("bob's desktop is starting", func() bool {
		s, err := b.manager.Get("bob")
		return err == nil && s.State == session.Starting
	})
	drained := make(chan error, 2)
	go func() { drained <- b.manager.Drain(context.Background()) }()
	go func() { drained <- b.api.Drain(context.Background()) }()
	b.eventually("it is not ready", func() bool { return b.call(http.MethodGet, "/readyz", "").status == http.StatusServiceUnavailable })
	if a := b.call(http.MethodDelete, "/api/vm/alice", ""); a.status != http.StatusNoContent {
		t.Errorf("a stop: status %d: %s", a.status, a.body)
	}
	if len(drained) > 0 {
		t.Error("it did not wait")
	}
	close(listens)
	if a := <-asked; a.status != http.StatusOK {
		t.Errorf("a start that was under way: status %d: %s", a.status, a.body)
	}
	for range 2 {
		if err := <-drained; err != nil {
			t.Error(err)
		}
	}
}

// TestDrainWithLaterRequests: a drain waits for the requests that have begun before
// it, and not for those that come meanwhile, of which there may always be one.
func TestDrainWithLaterRequests(t *testing.T) {
	b := newBench(t)
	b.start("alice")
	b.engine.Delay(fake.OpLogs, 100*time.Millisecond)
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			time.Sleep(time.Duration(i) * 25 * time.Millisecond) // They overlap.
			for {
				select {
				case <-stop:
					return
				default:
					b.call(http.MethodGet, fmt.Sprintf("/api/vm/alice/logs?tail=%d", i+1), "")
				}
			}
		})
	}
	defer callers.Wait()
	defer close(stop)
	b.eventually("requests are under way", func() bool { return b.engine.Calls(fake.OpLogs) > 4 })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := b.api.Drain(ctx); err != nil {
		t.Error(err)
	}
}

// TestLookingIsNoUse: no request but a stream keeps a desktop.
func TestLookingIsNoUse(t *testing.T) {
	b := newBench(t)
	url := b.start("alice").URL
	before, err := b.manager.Get("alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/healthz", "/readyz", "/api/vm", "/api/vm/list", "/api/vm/ws/alice", "/api/vm/alice", "/api/vm/alice/logs", "/api/vm/alice/stats", "/api/catalog", url, "/"} {
		b.call(http.MethodGet, path, "")
	}
	for _, path := range []string{"/api/vm/alice/events", "/api/events"} {
		b.follow(path).until("desktop", "alice", "ready")
	}
	b.post("alice", `{"vm":"desk"}`)
	if after, err := b.manager.Get("alice"); err != nil || !after.IdleDeadline.Equal(before.IdleDeadline) {
		t.Errorf("it would have been stopped at %v, and now at %v, %v", before.IdleDeadline, after.IdleDeadline, err)
	}
}
