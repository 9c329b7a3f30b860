package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/httpapi"
	"sage/httpapi/api"
	"sage/runtime/fake"
	"sage/session"
)

// open opens a stream as a browser's page does.
func (b *bench) open(path string, header http.Header) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	return websocket.Dial(ctx, "ws"+strings.TrimPrefix(b.server.URL, "http")+path, &websocket.DialOptions{
		HTTPClient: b.server.Client(), Subprotocols: []string{"binary"}, HTTPHeader: header,
	})
}

func TestStream(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.AllowedOrigins, o.Token = []string{board}, "secret" })
	a := b.post("alice", `{"vm":"desk"}`, "Authorization: Bearer secret")
	url := decode[api.StartResponse](t, a).URL
	for _, path := range []string{url, url + "/vnc"} {
		ws, _, err := b.open(path, http.Header{"Origin": {board}})
		if err != nil {
			t.Fatal(err)
		}
		if ws.Subprotocol() != "binary" {
			t.Errorf("subprotocol %q", ws.Subprotocol())
		}
		kind, data, err := ws.Read(t.Context())
		if err != nil || kind != websocket.MessageBinary || string(data) != fake.Greeting {
			t.Errorf("read %v %q, %v", kind, data, err)
		}
		if s, err := b.manager.Get("alice"); err != nil || s.State != session.Occupied || s.Clients != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, []byte(fake.Greeting)); err != nil {
			t.Error(err)
		}
		if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		b.eventually("the client is gone", func() bool {
			s, err := b.manager.Get("alice")
			return err == nil && s.Clients == 0 && s.State == session.Ready
		})
	}
	// The end of the desktop ends its streams.
	ws, _, err := b.open(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if _, _, err := ws.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.manager.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("got %v", err)
	}
}

// eventually polls for what happens in other goroutines.
func (b *bench) eventually(what string, is func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			b.t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestStreamRefusals(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.AllowedOrigins = []string{board} })
	url := b.start("alice").URL
	upgrade := []string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
	}
	with := func(more ...string) []string { return append(append([]string{}, upgrade...), more...) }
	tests := []struct {
		name, path string
		headers    []string
		status     int
		code       string
	}{
		{"unknown token", "/stream/nothing/vnc", upgrade, 404, "unknown_stream"},
		{"part of the token", url[:len(url)-1] + "/vnc", upgrade, 404, "unknown_stream"},
		{"uid for a token", "/stream/alice/vnc", upgrade, 404, "unknown_stream"},
		{"unknown endpoint", url + "/audio", upgrade, 404, "unknown_endpoint"},
		{"too many steps", url + "/vnc/x", upgrade, 404, "no_such_call"},
		{"no token", "/stream/", upgrade, 404, "no_such_call"},
		{"no upgrade", url + "/vnc", nil, 426, "upgrade_required"},
		{"old version", url + "/vnc", with("Sec-WebSocket-Version: 8"), 400, "bad_handshake"},
		{"bad key", url + "/vnc", with("Sec-WebSocket-Key: x"), 400, "bad_handshake"},
		{"page of a stranger", url + "/vnc", with("Origin: https://evil.example"), 403, "origin_not_allowed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := *b
			b.t = t
			wantProblem(t, b.call("GET", test.path, "", test.headers...), test.status, test.code)
			if s, err := b.manager.Get("alice"); err != nil || s.Clients != 0 {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

func TestStreamOfADeadDesktop(t *testing.T) {
	b := newBench(t)
	url := b.start("alice").URL
	b.engine.Kill(b.engine.Containers()[0].ID, 1, false)
	_, resp, err := b.open(url+"/vnc", nil)
	if err == nil || resp == nil {
		t.Fatalf("got %v", err)
	}
	a := b.read(resp)
	wantProblem(t, a, http.StatusBadGateway, "desktop_unreachable")
}
