package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sage/catalog"
	"sage/httpapi"
	"sage/httpapi/api"
	"sage/runtime/fake"
	"sage/session"
)

// events is a client's stream of events.
type events struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

// follow opens a stream of events, which must be granted.
func (b *bench) follow(path string) *events {
	b.t.Helper()
	return b.followAs(path)
}

// followAs follows like follow, with headers, each "Name: value".
func (b *bench) followAs(path string, headers ...string) *events {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := b.server.Client().Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return &events{t: b.t, lines: bufio.NewScanner(resp.Body), cancel: cancel}
}

// next gives the next event; ok is false at the end of the stream.
func (e *events) next() (event string, d api.Desktop, ok bool) {
	e.t.Helper()
	for e.lines.Scan() {
		switch name, value, _ := strings.Cut(e.lines.Text(), ": "); name {
		case "event":
			event = value
		case "data":
			if err := json.Unmarshal([]byte(value), &d); err != nil {
				e.t.Fatalf("%v in %q", err, value)
			}
			return event, d, true
		}
	}
	return "", d, false
}

// until reads on to an event of a uid in a state.
func (e *events) until(event, uid, state string) api.Desktop {
	e.t.Helper()
	for {
		name, d, ok := e.next()
		if !ok {
			e.t.Fatalf("the stream has ended before %s is %s", uid, state)
		}
		if name == event && d.UID == uid && d.State == state {
			return d
		}
	}
}

func TestEventsOfADesktop(t *testing.T) {
	b := newBench(t)
	e := b.follow("/api/vm/alice/events")
	if d := e.until("desktop", "alice", "absent"); d.App != "" || d.URL != "" || d.Endpoints == nil || !d.CreatedAt.IsZero() {
		t.Errorf("got %+v", d)
	}
	b.start("bob")
	s := b.start("alice")
	ready := e.until("desktop", "alice", "ready")
	if asked := decode[api.Desktop](t, b.call("GET", "/api/vm/alice", "")); ready.URL != s.URL || asked.URL != s.URL || ready.StartedAt == nil || !ready.StartedAt.Equal(*asked.StartedAt) {
		t.Errorf("told %+v, asked %+v", ready, asked)
	}
	ws, _, err := b.open(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := e.until("desktop", "alice", "occupied"); d.Clients != 1 || d.Viewers != 1 {
		t.Errorf("got %+v", d)
	}
	_ = ws.CloseNow()
	e.until("desktop", "alice", "ready")
	if a := b.call("DELETE", "/api/vm/alice", ""); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
	if d := e.until("desktop", "alice", "absent"); d.App != "desk" {
		t.Errorf("a stopped desktop that can be started again is told as %+v", d)
	}
	b.post("alice", `{"vm":"broken"}`)
	if d := e.until("desktop", "alice", "failed"); d.Reason == nil {
		t.Errorf("got %+v", d)
	}
	if a := b.call("DELETE", "/api/vm/alice?purge=true", ""); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
	if d := e.until("desktop", "alice", "absent"); d.App != "" {
		t.Errorf("a desktop of which nothing is left is told as %+v", d)
	}
}

func TestEventsOfAll(t *testing.T) {
	b := newBench(t)
	b.start("bob")
	e := b.follow("/api/events")
	e.until("desktop", "bob", "ready")
	b.start("alice")
	e.until("desktop", "alice", "ready")
	b.call("DELETE", "/api/vm/bob", "")
	e.until("gone", "bob", "")
}

func TestEventsAreRefused(t *testing.T) {
	b := newBench(t)
	for _, uid := range []string{"a%20b", "any", "list", "allocate"} {
		wantProblem(t, b.call("GET", "/api/vm/"+uid+"/events", ""), http.StatusUnprocessableEntity, "invalid_uid")
	}
	wantProblem(t, b.call("GET", "/api/vm/alice/nothing", ""), http.StatusNotFound, "no_such_call")
	wantProblem(t, b.call("POST", "/api/vm/alice/events", ""), http.StatusMethodNotAllowed, "method_not_allowed")
	wantProblem(t, b.call("GET", "/api/vm/alice/events/", ""), http.StatusNotFound, "no_such_call")
	// The original's call comes first: "events" is a uid here.
	wantProblem(t, b.call("GET", "/api/vm/ws/events", ""), http.StatusNotFound, "not_running")
	b.wantNothing()
}

// TestEventsEndWhenTheDaemonGoesDown: a drain waits for requests, and these would
// not end by themselves.
func TestEventsEndWhenTheDaemonGoesDown(t *testing.T) {
	b := newBench(t)
	b.start("alice")
	one, all := b.follow("/api/vm/alice/events"), b.follow("/api/events")
	one.until("desktop", "alice", "ready")
	all.until("desktop", "alice", "ready")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.api.Drain(ctx); err != nil {
		t.Error(err)
	}
	for _, e := range []*events{one, all} {
		if name, d, ok := e.next(); ok {
			t.Errorf("got %s %+v", name, d)
		}
		if err := e.lines.Err(); err != nil {
			t.Errorf("the end was none: %v", err)
		}
	}
	// Who asks now is told how things are.
	late := b.follow("/api/events")
	late.until("desktop", "alice", "ready")
	if name, d, ok := late.next(); ok {
		t.Errorf("got %s %+v", name, d)
	}
	if n := b.manager.List(); len(n) != 1 || n[0].Clients != 0 {
		t.Errorf("got %+v", n)
	}
}

// TestEventsOfAClientThatDoesNotRead: it is not waited for, neither for ever nor
// when the daemon goes down.
func TestEventsOfAClientThatDoesNotRead(t *testing.T) {
	dir := t.TempDir()
	for name, drain := range map[string]bool{"by itself": false, "drain": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := fake.New(fake.Options{})
				manager, err := session.New(engine, managerOptions(dir, func() *catalog.Catalog { return &catalog.Catalog{} }))
				if err != nil {
					t.Fatal(err)
				}
				api := httpapi.New(manager, httpapi.Options{Logger: slog.New(slog.DiscardHandler), Page: http.NotFoundHandler()})
				answered := make(chan struct{})
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(answered)
					api.ServeHTTP(w, r)
				})}
				client, conn := net.Pipe() // Nothing is sent that is not read.
				served := make(chan error, 1)
				go func() { served <- server.Serve(&oneConn{conn: conn, closed: make(chan struct{})}) }()
				if _, err := client.Write([]byte("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				begun := time.Now()
				if drain {
					if err := api.Drain(t.Context()); err != nil {
						t.Error(err)
					}
				}
				<-answered
				if took := time.Since(begun); took > 20*time.Second || drain && took > 0 {
					t.Errorf("it took %s", took)
				}
				client.Close()
				if err := errors.Join(server.Close(), manager.Close(t.Context())); err != nil {
					t.Error(err)
				}
				<-served
			})
		})
	}
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	close(l.closed)
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestDesktops(t *testing.T) {
	b := newBench(t)
	if a := b.call("GET", "/api/vm", ""); a.status != 200 || a.body != `{"desktops":[]}`+"\n" {
		t.Errorf("%d %q", a.status, a.body)
	}
	for _, uid := range []string{"b", "c", "a"} {
		b.start(uid)
	}
	b.post("bb", `{"vm":"broken"}`)
	var got []string
	for _, d := range decode[api.Desktops](t, b.call("GET", "/api/vm", "")).Desktops {
		got = append(got, d.UID+" "+d.State)
	}
	if want := "a ready, b ready, bb failed, c ready"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
