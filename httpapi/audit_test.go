package httpapi_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"sage/catalog"
	"sage/httpapi"
	"sage/httpapi/api"
)

// diary is a log that can be read while it is written.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *diary) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(d, &slog.HandlerOptions{Level: slog.LevelDebug}))
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

// auditLine is one line about who did what.
type auditLine struct {
	Msg, Action, Result, UID, App, Endpoint, Path, Remote string

	RequestID string `json:"request_id"`
}

func (d *diary) audits(t *testing.T) []auditLine {
	t.Helper()
	var all []auditLine
	for line := range strings.Lines(d.String()) {
		var a auditLine
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if a.Msg == "audit" {
			all = append(all, a)
		}
	}
	return all
}

// TestAudit: every start, stop, connect, disconnect and refusal is one line, with the request that it came from; and no
// line of the whole log has a secret.
func TestAudit(t *testing.T) {
	const token, secret, bearer = "sesame-token", "tiger-password", "Authorization: Bearer sesame-token"
	b := newBench(t, func(o *httpapi.Options) {
		o.Token = token
		o.Catalog().Apps[0].Variables = []catalog.Variable{{Name: "PASSWORD", Type: catalog.String, Secret: true, MaxLength: 64}}
	})
	started := b.post("alice", `{"vm":"desk","env":{"PASSWORD":"`+secret+`"}}`, bearer, "X-Request-Id: from-proxy.1")
	url := decode[api.StartResponse](t, started).URL
	if id := started.header.Get("X-Request-Id"); id != "from-proxy.1" {
		t.Errorf("request id %q", id)
	}
	b.post("bob", `{"vm":"nothing"}`, bearer)
	b.post("carol", `{"vm":"desk","env":{"PASSWORD":"`+strings.Repeat(secret, 10)+`"}}`, bearer)
	ws, _, err := b.open(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	b.eventually("the client has gone", func() bool {
		return slices.ContainsFunc(b.log.audits(t), func(a auditLine) bool { return a.Action == "disconnect" })
	})
	wantProblem(t, b.call("GET", "/api/vm/list", ""), http.StatusUnauthorized, "unauthorized")
	wantProblem(t, b.call("GET", url+"/vnc", "", "Origin: https://evil.example"), http.StatusForbidden, "origin_not_allowed")
	if a := b.call("DELETE", "/api/vm/alice", "", bearer); a.status != http.StatusNoContent {
		t.Errorf("stop: %d %s", a.status, a.body)
	}

	want := []auditLine{
		{Action: "start", Result: "ok", UID: "alice", App: "desk", RequestID: "from-proxy.1"},
		{Action: "start", Result: "unknown_app", UID: "bob", App: "nothing"},
		{Action: "start", Result: "invalid_env", UID: "carol", App: "desk"},
		{Action: "connect", Result: "ok", UID: "alice", Endpoint: "vnc"},
		{Action: "disconnect", Result: "ok", UID: "alice", Endpoint: "vnc"},
		{Action: "denied", Result: "unauthorized", Path: "/api/vm/list"},
		{Action: "denied", Result: "origin_not_allowed", Path: "/stream/"},
		{Action: "stop", Result: "ok", UID: "alice"},
	}
	got := b.log.audits(t)
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), b.log.String())
	}
	ids := map[string]int{}
	for i, a := range got {
		ids[a.RequestID]++
		if a.RequestID == "" || !strings.HasPrefix(a.Remote, "127.0.0.1:") {
			t.Errorf("line without its request: %+v", a)
		}
		if want[i].RequestID == "" {
			a.RequestID = ""
		}
		a.Msg, a.Remote = "", ""
		if a != want[i] {
			t.Errorf("line %d is %+v, want %+v", i, a, want[i])
		}
	}
	if len(ids) != len(want)-1 { // Connect and disconnect are one request.
		t.Errorf("request ids %v", ids)
	}
	for _, word := range []string{token, secret, strings.TrimPrefix(url, "/stream/")} {
		if strings.Contains(b.log.String(), word) {
			t.Errorf("%q is in the log:\n%s", word, b.log.String())
		}
	}
}

// TestRequestID: a sane id is kept, any other is replaced, and every answer has one.
func TestRequestID(t *testing.T) {
	b := newBench(t)
	for given, kept := range map[string]bool{
		"abc-1.2_3": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "a\"b": false, "": false,
	} {
		for _, path := range []string{"/healthz", "/api/nothing", "/"} {
			id := b.call("GET", path, "", "X-Request-Id: "+given).header.Get("X-Request-Id")
			if (id == given) != kept || id == "" {
				t.Errorf("%s with id %q: %q", path, given, id)
			}
		}
	}
}
