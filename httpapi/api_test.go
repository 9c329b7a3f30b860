package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sage/httpapi"
	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

func TestBadInputLeavesNothingBehind(t *testing.T) {
	const asJSON = "Content-Type: application/json"
	long := strings.Repeat("a", 300)
	tests := []struct {
		name, method, path, body, contentType string
		status                                int
		code, text                            string
	}{
		{"unknown app", "POST", "alice", `{"vm":"nothing"}`, asJSON, 404, "unknown_app", `"nothing"`},
		{"unknown app to allocate", "POST", "allocate", `{"vm":"nothing"}`, asJSON, 404, "unknown_app", `"nothing"`},
		{"unknown environment name", "POST", "alice", `{"vm":"desk","env":{"LD_PRELOAD":"x"}}`, asJSON, 422, "invalid_env", "LD_PRELOAD"},
		{"two bad environment names", "POST", "alice", `{"vm":"desk","env":{"LD_PRELOAD":"x","PATH":"y"}}`, asJSON, 422, "invalid_env", "2 of the given"},
		{"wrong type in the environment", "POST", "alice", `{"vm":"desk","env":{"DEPTH":"deep"}}`, asJSON, 422, "invalid_env", "DEPTH"},
		{"list in the environment", "POST", "alice", `{"vm":"desk","env":{"SIZE":["x"]}}`, asJSON, 422, "invalid_env", "SIZE"},
		{"environment is a text", "POST", "alice", `{"vm":"desk","env":"x"}`, asJSON, 422, "invalid_request", ""},
		{"app is a number", "POST", "alice", `{"vm":7}`, asJSON, 422, "invalid_request", ""},
		{"body is a list", "POST", "alice", `[]`, asJSON, 422, "invalid_request", ""},
		{"unknown field", "POST", "alice", `{"vm":"desk","image":"evil"}`, asJSON, 422, "invalid_request", ""},
		{"broken JSON", "POST", "alice", `{"vm":`, asJSON, 400, "bad_request", ""},
		{"no JSON", "POST", "alice", `vm=desk`, asJSON, 400, "bad_request", ""},
		{"two documents", "POST", "alice", `{"vm":"desk"}{"vm":"desk"}`, asJSON, 400, "bad_request", ""},
		{"wrong content type", "POST", "alice", `{"vm":"desk"}`, "Content-Type: text/plain", 415, "unsupported_media_type", ""},
		{"form", "POST", "alice", `vm=desk`, "Content-Type: application/x-www-form-urlencoded", 415, "unsupported_media_type", ""},
		{"2 MiB", "POST", "alice", `{"vm":"` + strings.Repeat("a", 2<<20) + `"}`, asJSON, 413, "too_large", ""},
		{"no app to allocate", "POST", "allocate", `{}`, asJSON, 422, "app_missing", "vm"},
		{"no body to allocate", "POST", "allocate", ``, asJSON, 422, "app_missing", "vm"},
		{"null to allocate", "POST", "allocate", `null`, asJSON, 422, "", ""},
		{"unknown uid without app", "POST", "alice", `{}`, asJSON, 404, "unknown_uid", "alice"},
		{"uid of 300 characters", "POST", long, `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "300 bytes"},
		{"uid with spaces", "POST", "a%20b", `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "contains"},
		{"uid with an encoded slash", "POST", "a%2Fb", `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "contains"},
		{"uid with NUL", "POST", "a%00b", `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "contains"},
		{"uid of another script", "POST", "%C3%A4", `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "contains"},
		{"uid that is a word", "POST", "list", `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "word"},
		{"uid with a leading dot", "POST", ".x", `{"vm":"desk"}`, asJSON, 422, "invalid_uid", "dot"},
		{"empty uid", "POST", "", `{"vm":"desk"}`, asJSON, 404, "no_such_call", ""},
		{"uid of two steps", "POST", "a/b", `{"vm":"desk"}`, asJSON, 404, "no_such_call", ""},
		{"encoded parent directory", "POST", "%2e%2e%2fx", `{"vm":"desk"}`, asJSON, 400, "bad_path", `".."`},
		{"other method", "PUT", "alice", `{"vm":"desk"}`, asJSON, 405, "method_not_allowed", "POST"},
		{"image that does not exist", "POST", "alice", `{"vm":"nowhere"}`, asJSON, 404, "image_not_found", "localhost/test/nowhere:1"},
		{"program that exits at once", "POST", "alice", `{"vm":"broken"}`, asJSON, 502, "start_failed", "exit code 3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			a := b.call(test.method, "/api/vm/any/"+test.path, test.body, test.contentType)
			if test.code == "" {
				if a.status != test.status {
					t.Errorf("status %d: %s", a.status, a.body)
				}
			} else {
				p := wantProblem(t, a, test.status, test.code)
				if !strings.Contains(p.Detail, test.text) {
					t.Errorf("%q lacks %q", p.Detail, test.text)
				}
			}
			b.wantNothing()
		})
	}
}

func TestPathsThatNoClientSends(t *testing.T) {
	b := newBench(t)
	for _, target := range []string{
		"/api/vm/any/../x", "/api/vm/any/..", "/api/vm/any/.", "/api/vm/any/%2e", "/api/vm/any/%2e%2e/x", "/api/../api/vm/any/x", "/stream/../x", "/../x", "/api/vm/any/%2E%2E%2F%2E%2E%2Fx",
	} {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			wantProblem(t, b.raw(method, target, `{"vm":"desk"}`), http.StatusBadRequest, "bad_path")
		}
	}
	b.wantNothing()
}

func TestBadUIDsOfTheOtherCalls(t *testing.T) {
	b := newBench(t)
	for _, uid := range []string{strings.Repeat("a", 300), "a%20b", ".x", "%C3%A4", "a%00"} {
		for method, prefix := range map[string]string{"GET": "/api/vm/", "DELETE": "/api/vm/"} {
			wantProblem(t, b.call(method, prefix+uid, ""), http.StatusUnprocessableEntity, "invalid_uid")
		}
		wantProblem(t, b.call("GET", "/api/vm/ws/"+uid, ""), http.StatusUnprocessableEntity, "invalid_uid")
	}
	wantProblem(t, b.call("DELETE", "/api/vm/alice?purge=perhaps", ""), http.StatusUnprocessableEntity, "invalid_request")
	wantProblem(t, b.call("GET", "/api/vm/ws/", ""), http.StatusNotFound, "no_such_call")
	wantProblem(t, b.call("GET", "/api/nothing", ""), http.StatusNotFound, "no_such_call")
}

func TestFailedStartTellsItsReason(t *testing.T) {
	b := newBench(t)
	p := wantProblem(t, b.post("alice", `{"vm":"broken"}`), http.StatusBadGateway, "start_failed")
	if p.Reason == nil || p.Reason.Phase != "ready" || p.Reason.ExitCode == nil || *p.Reason.ExitCode != 3 || strings.Join(p.Reason.Log, "") != "no display" {
		t.Errorf("reason %+v", p.Reason)
	}
	a := b.call("GET", "/api/vm/alice", "")
	d := decode[api.Desktop](t, a)
	if a.status != 200 || d.State != "failed" || d.Reason == nil || d.URL != "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	wantProblem(t, b.call("GET", "/api/vm/ws/alice", ""), http.StatusNotFound, "not_running")
	if a := b.call("GET", "/api/vm/list", ""); a.body != "[]\n" {
		t.Errorf("list %q", a.body)
	}
}

func TestEveryMistakeInTheEnvironmentIsNamed(t *testing.T) {
	b := newBench(t)
	p := wantProblem(t, b.post("alice", `{"vm":"desk","env":{"A":1,"DEPTH":"deep","SIZE":"ok"}}`), 422, "invalid_env")
	if len(p.Errors) != 2 || p.Errors[0].Location != "body.env.A" || p.Errors[1].Location != "body.env.DEPTH" {
		t.Errorf("errors %+v", p.Errors)
	}
}

func TestLife(t *testing.T) {
	b := newBench(t)
	if a := b.call("GET", "/api/vm/list", ""); a.status != 200 || a.body != "[]\n" {
		t.Errorf("empty list: %d %q", a.status, a.body)
	}
	p := wantProblem(t, b.call("GET", "/api/vm/ws/alice", ""), http.StatusNotFound, "not_running")
	if p.Details != "container not running" {
		t.Errorf("details %q", p.Details)
	}
	wantProblem(t, b.call("GET", "/api/vm/alice", ""), http.StatusNotFound, "not_running")
	wantProblem(t, b.call("DELETE", "/api/vm/alice", ""), http.StatusNotFound, "not_running")

	alice := b.start("alice")
	if alice.UID != "alice" || !strings.HasPrefix(alice.URL, "/stream/") || len(alice.URL) < len("/stream/")+25 {
		t.Errorf("got %+v", alice)
	}
	if again := b.start("alice"); again != alice {
		t.Errorf("second start: %+v, then %+v", alice, again)
	}
	if found := decode[api.LocateResponse](t, b.call("GET", "/api/vm/ws/alice", "")); found.URL != alice.URL {
		t.Errorf("located at %q", found.URL)
	}
	d := decode[api.Desktop](t, b.call("GET", "/api/vm/alice", ""))
	if d.UID != "alice" || d.App != "desk" || d.State != "ready" || d.URL != alice.URL || d.Container != "collab-vm-alice" ||
		d.StartedAt == nil || d.IdleDeadline == nil || len(d.Endpoints) != 1 || d.Reason != nil {
		t.Errorf("got %+v", d)
	}
	for _, uid := range []string{"a", "alic", "alice2", "ALICE", "%2e*"} {
		if a := b.call("GET", "/api/vm/ws/"+uid, ""); a.status != 404 && a.status != 422 {
			t.Errorf("uid %s: %d %s", uid, a.status, a.body)
		}
	}

	fresh := decode[api.StartResponse](t, b.post("allocate", `{"vm":"bureau"}`))
	if fresh.UID == "" || fresh.UID == "allocate" || fresh.URL == alice.URL {
		t.Errorf("got %+v", fresh)
	}
	if got := decode[[]string](t, b.call("GET", "/api/vm/list", "")); len(got) != 2 {
		t.Errorf("list %q", got)
	}

	if a := b.call("DELETE", "/api/vm/alice", ""); a.status != http.StatusNoContent || a.body != "" {
		t.Errorf("delete: %d %q", a.status, a.body)
	}
	if got := decode[[]string](t, b.call("GET", "/api/vm/list", "")); len(got) != 1 || got[0] != fresh.UID {
		t.Errorf("list %q", got)
	}
	for _, body := range []string{`{}`, ``} {
		back := decode[api.StartResponse](t, b.post("alice", body))
		if back.UID != "alice" || back.URL == alice.URL {
			t.Errorf("restart with %q: %+v", body, back)
		}
	}
	for _, uid := range []string{"alice", fresh.UID} {
		if a := b.call("DELETE", "/api/vm/"+uid+"?purge=true", ""); a.status != http.StatusNoContent {
			t.Errorf("purge: %d %q", a.status, a.body)
		}
	}
	b.wantNothing()
}

func TestLogs(t *testing.T) {
	b := newBench(t)
	b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
		for i := range 3000 {
			fmt.Fprintf(p.Stdout(), "line %d\n", i)
		}
		fmt.Fprintln(p.Stderr(), "<script>\xff")
		return fake.VNC(vncPort)(ctx, p)
	}})
	wantProblem(t, b.call("GET", "/api/vm/alice/logs", ""), http.StatusNotFound, "not_running")
	b.start("alice")
	for query, want := range map[string]int{"": 200, "?tail=1": 1, "?tail=2000": 2000} {
		a := b.call("GET", "/api/vm/alice/logs"+query, "")
		if a.status != 200 || strings.Count(a.body, "\n") != want || !strings.HasSuffix(a.body, "<script>\ufffd\n") {
			t.Errorf("%q: %d, %d lines: %.100q", query, a.status, strings.Count(a.body, "\n"), a.body)
		}
		if a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", a.header)
		}
	}
	for _, tail := range []string{"0", "2001", "-1", "all", "1.5"} {
		wantProblem(t, b.call("GET", "/api/vm/alice/logs?tail="+tail, ""), http.StatusUnprocessableEntity, "invalid_request")
	}
}

// TestFollowLogs: what there is, what comes, and the end with the container.
func TestFollowLogs(t *testing.T) {
	b := newBench(t)
	more := make(chan struct{})
	b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
		fmt.Fprint(p.Stdout(), "one\ntwo\n")
		go func() {
			<-more
			fmt.Fprint(p.Stdout(), "three\xff\n")
		}()
		return fake.VNC(vncPort)(ctx, p)
	}})
	wantProblem(t, b.call("GET", "/api/vm/alice/log-stream", ""), http.StatusNotFound, "not_running")
	wantProblem(t, b.call("GET", "/api/vm/a%20b/log-stream", ""), http.StatusUnprocessableEntity, "invalid_uid")
	b.start("alice")
	c, err := client.New(b.server.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := c.FollowLogs(t.Context(), "alice", 1, w)
		w.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(r)
	for _, want := range []string{"two", "three\ufffd"} {
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("%q, want %q", lines.Text(), want)
		}
		if want == "two" {
			close(more)
		}
	}
	b.call("DELETE", "/api/vm/alice", "")
	if lines.Scan() {
		t.Errorf("%q came", lines.Text())
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStats(t *testing.T) {
	b := newBench(t)
	wantProblem(t, b.call("GET", "/api/vm/alice/stats", ""), http.StatusNotFound, "not_running")
	b.start("alice")
	a := b.call("GET", "/api/vm/alice/stats", "")
	s := decode[api.Stats](t, a)
	if a.status != 200 || s.At.IsZero() || s.MemoryBytes <= 0 || s.MemoryLimitBytes < s.MemoryBytes || s.PIDs != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if strings.Contains(a.body, "network") {
		t.Errorf("what is not told: %s", a.body)
	}
}

// TestStatsThatTheEngineDoesNotTell: it says so, and why.
func TestStatsThatTheEngineDoesNotTell(t *testing.T) {
	b := newBench(t)
	b.start("alice")
	b.engine.Fail(fake.OpStats, 1, runtime.ErrUnsupported)
	wantProblem(t, b.call("GET", "/api/vm/alice/stats", ""), http.StatusNotImplemented, "unsupported")
}

func TestRestart(t *testing.T) {
	b := newBench(t)
	wantProblem(t, b.call("POST", "/api/vm/alice/restart", ""), http.StatusNotFound, "unknown_uid")
	first := b.start("alice")
	again := decode[api.StartResponse](t, b.call("POST", "/api/vm/alice/restart", ""))
	if again.UID != "alice" || again.URL == first.URL || again.URL == "" {
		t.Errorf("got %+v, before %+v", again, first)
	}
	if found := decode[api.LocateResponse](t, b.call("GET", "/api/vm/ws/alice", "")); found.URL != again.URL {
		t.Errorf("located at %q", found.URL)
	}
}

func TestNoRoom(t *testing.T) {
	b := newBench(t, func(o *session.Options) { o.MaxDesktops = 1 })
	b.start("alice")
	p := wantProblem(t, b.post("bob", `{"vm":"desk"}`), http.StatusServiceUnavailable, "at_capacity")
	if p.Limit == nil || *p.Limit != (api.LimitMet{Name: "max_desktops", Limit: 1, Current: 1}) || !strings.Contains(p.Detail, "SAGE_MAX_DESKTOPS") {
		t.Errorf("got %+v, %+v", p, p.Limit)
	}
	if a := b.post("alice", `{"vm":"desk"}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestStartWithoutContentType(t *testing.T) {
	b := newBench(t)
	if a := b.call("POST", "/api/vm/any/alice", `{"vm":"desk"}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.call("POST", "/api/vm/any/bob", `{"vm":"desk"}`, "Content-Type: application/json; charset=utf-8"); a.status != 200 {
		t.Errorf("with charset: %d %s", a.status, a.body)
	}
}

func TestEngineIsAway(t *testing.T) {
	b := newBench(t)
	b.start("alice")
	if a := b.call("GET", "/readyz", ""); a.status != 200 || decode[api.Health](t, a).Engine.Backend != "fake" {
		t.Errorf("%d %s", a.status, a.body)
	}
	b.engine.Unavailable(true)
	wantProblem(t, b.post("bob", `{"vm":"desk"}`), http.StatusServiceUnavailable, "engine_unavailable")
	b.eventually("it is not ready", func() bool { return b.call("GET", "/readyz", "").status == http.StatusServiceUnavailable })
	wantProblem(t, b.call("GET", "/readyz", ""), http.StatusServiceUnavailable, "engine_unavailable")
	if a := b.call("GET", "/healthz", ""); a.status != 200 || decode[api.Health](t, a).Version != "v1" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.call("GET", "/api/vm/ws/alice", ""); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBusyHost(t *testing.T) {
	b := newBench(t)
	b.engine.Fail(fake.OpCreate, 1, runtime.ErrExhausted)
	wantProblem(t, b.post("bob", `{"vm":"desk"}`), http.StatusServiceUnavailable, "engine_exhausted")
	for port := uint16(11000); port < 11010; port++ {
		defer b.engine.HoldPort(port)()
	}
	p := wantProblem(t, b.post("alice", `{"vm":"desk"}`), http.StatusServiceUnavailable, "ports_exhausted")
	if p.Limit == nil || *p.Limit != (api.LimitMet{Name: "ports", Limit: 10, Current: 10}) {
		t.Errorf("limit %+v", p.Limit)
	}
	if !strings.Contains(p.Detail, "[11000, 11010)") {
		t.Errorf("%q lacks the numbers", p.Detail)
	}
	b.wantNothing()
}

func TestCatalog(t *testing.T) {
	b := newBench(t)
	apps := decode[api.Catalog](t, b.call("GET", "/api/catalog", "")).Apps
	if len(apps) != 3 || apps[0].ID != "desk" || len(apps[0].Variables) != 2 || apps[1].Aliases == nil || apps[1].Variables == nil {
		t.Errorf("got %+v", apps)
	}
}

func TestPageIsServedForAllElse(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/", "/desktop/alice"} {
		if a := b.call("GET", path, ""); a.body != "the page" {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
}

func TestToken(t *testing.T) {
	withToken := func(o *httpapi.Options) { o.Token, o.AllowedOrigins = "secret", []string{board} }
	calls := [][2]string{
		{"POST", "/api/vm/any/alice"}, {"GET", "/api/vm/ws/alice"}, {"GET", "/api/vm/list"}, {"GET", "/api/vm/alice"},
		{"DELETE", "/api/vm/alice"}, {"GET", "/api/vm"}, {"GET", "/api/vm/alice/events"},
		{"GET", "/api/vm/alice/logs"}, {"GET", "/api/vm/alice/stats"}, {"POST", "/api/vm/alice/restart"}, {"GET", "/api/events"}, {"GET", "/api/catalog"}, {"GET", "/api/nothing"}, {"OPTIONS", "/api/vm/list"},
	}
	for _, c := range calls {
		b := newBench(t, withToken) // It slows down who has sent many wrong ones.
		for _, auth := range []string{"", "Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "Basic secret", "secret", "Bearer  secret"} {
			wantProblem(t, b.call(c[0], c[1], "", "Authorization: "+auth), http.StatusUnauthorized, "unauthorized")
		}
		b.wantNothing()
	}
	b := newBench(t, withToken)
	// A page that may ask has to be able to read why it is refused.
	a := b.call("GET", "/api/vm/list", "", "Origin: "+board)
	wantProblem(t, a, http.StatusUnauthorized, "unauthorized")
	if a.header.Get("Access-Control-Allow-Origin") != board {
		t.Errorf("headers %v", a.header)
	}
	for _, auth := range []string{"Bearer secret", "bearer secret"} {
		if a := b.call("GET", "/api/vm/list", "", "Authorization: "+auth); a.status != 200 {
			t.Errorf("%s: %d", auth, a.status)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/"} {
		if a := b.call("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestHosts(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.AllowedHosts = []string{"sage.example"} })
	for host, status := range map[string]int{
		"localhost": 200, "localhost:4024": 200, "127.0.0.1:4024": 200, "[::1]:4024": 200, "sage.example": 200, "SAGE.example:80": 200,
		"evil.example": 421, "evil.example:4024": 421, "localhost.evil.example": 421, "10.0.0.1": 421, "sage.example.evil": 421,
	} {
		for _, path := range []string{"/api/vm/list", "/", "/healthz"} {
			a := b.call("GET", path, "", "Host: "+host)
			if a.status != status {
				t.Errorf("%s of %s: %d", path, host, a.status)
			}
			if status != 200 {
				wantProblem(t, a, status, "host_not_allowed")
			}
		}
	}
	open := newBench(t)
	if a := open.call("GET", "/api/vm/list", "", "Host: any.example"); a.status != 200 {
		t.Errorf("no list of hosts: %d", a.status)
	}
}

func TestOrigins(t *testing.T) {
	const other = "https://evil.example"
	for _, allowed := range []string{board, board + "/"} {
		b := newBench(t, func(o *httpapi.Options) { o.AllowedOrigins = []string{allowed} })
		// What a SAGE3 board sends: both calls carry Content-Type, so both are
		// asked for before.
		for method, path := range map[string]string{"POST": "/api/vm/any/alice", "GET": "/api/vm/ws/alice"} {
			pre := b.call("OPTIONS", path, "", "Origin: "+board, "Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: content-type")
			if pre.status/100 != 2 || pre.header.Get("Access-Control-Allow-Origin") != board ||
				!strings.Contains(pre.header.Get("Access-Control-Allow-Methods"), method) ||
				!strings.EqualFold(pre.header.Get("Access-Control-Allow-Headers"), "content-type") {
				t.Errorf("preflight of %s: %d %v", method, pre.status, pre.header)
			}
			if pre := b.call("OPTIONS", path, "", "Origin: "+other, "Access-Control-Request-Method: "+method); pre.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("preflight of a stranger: %d %v", pre.status, pre.header)
			}
		}
		a := b.post("alice", `{"vm":"desk","env":{}}`, "Origin: "+board)
		if a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != board {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
		started := decode[api.StartResponse](t, a)
		a = b.call("GET", "/api/vm/ws/alice", "", "Origin: "+board, "Content-Type: application/json")
		if decode[api.LocateResponse](t, a).URL != started.URL || a.header.Get("Access-Control-Allow-Origin") != board {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
		a = b.call("GET", "/api/vm/ws/bob", "", "Origin: "+board, "Content-Type: application/json")
		wantProblem(t, a, 404, "not_running")
		if a.header.Get("Access-Control-Allow-Origin") != board {
			t.Errorf("the board cannot read the refusal: %v", a.header)
		}
		for _, origin := range []string{other, "null", "https://board.example.evil", "http://board.example", "https://board.example:8443"} {
			a := b.post("mallory", `{"vm":"desk"}`, "Origin: "+origin)
			wantProblem(t, a, http.StatusForbidden, "origin_not_allowed")
			if a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %v", origin, a.header)
			}
		}
		// Sage's own page.
		if a := b.call("GET", "/api/vm/list", "", "Origin: "+b.server.URL); a.status != 200 {
			t.Errorf("own origin: %d %s", a.status, a.body)
		}
		if len(b.engine.Containers()) != 1 {
			t.Error("a stranger has started a desktop")
		}
	}
	closed := newBench(t)
	a := closed.call("GET", "/api/vm/list", "", "Origin: "+board)
	wantProblem(t, a, http.StatusForbidden, "origin_not_allowed")
	open := newBench(t, func(o *httpapi.Options) { o.AllowedOrigins = []string{"*"} })
	if a := open.call("GET", "/api/vm/list", "", "Origin: "+other); a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", a.status, a.header)
	}
}
