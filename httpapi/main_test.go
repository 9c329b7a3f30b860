package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sage/catalog"
	"sage/httpapi"
	"sage/httpapi/api"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// TestMain looks for goroutines that are left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	vncPort = 5900
	image   = "localhost/test/desk:1"
	board   = "https://board.example"
)

// bench is the whole API over HTTP, with desktops on a fake engine.
type bench struct {
	t       *testing.T
	engine  *fake.Runtime
	manager *session.Manager
	api     *httpapi.Server
	server  *httptest.Server
	dir     string
	log     *diary
}

// managerOptions are those of a daemon whose clocks run out in no test.
func managerOptions(dir string, current func() *catalog.Catalog) session.Options {
	return session.Options{
		Catalog: current, DataDir: dir, BaseName: "collab-vm-", Instance: "one",
		PublishIP: netip.MustParseAddr("127.0.0.1"), PortStart: 11000, PortEnd: 11010,
		StartTimeout: time.Minute, ImageTimeout: time.Minute, StartsAtOnce: 1000, QueueTimeout: time.Minute, FirstClientGrace: time.Hour, IdleTimeout: time.Hour,
		StopGrace: time.Second, ReconcileInterval: time.Hour,
	}
}

// newBench makes a bench; changes are func(*httpapi.Options) or
// func(*session.Options).
func newBench(t *testing.T, changes ...any) *bench {
	t.Helper()
	b := &bench{
		t: t, dir: t.TempDir(), log: &diary{},
		engine: fake.New(fake.Options{
			Images: map[string]fake.Image{image: {Program: fake.VNC(vncPort)}}, Capabilities: runtime.Capabilities{Stats: true},
		}),
	}
	apps := &catalog.Catalog{Version: 1, Apps: []catalog.App{
		{
			ID: "desk", Title: "Desk", Image: image, Aliases: []string{"bureau"},
			Endpoints: []catalog.Endpoint{{Name: "vnc", Port: vncPort, Protocol: catalog.RFB}},
			Variables: []catalog.Variable{{Name: "SIZE", Type: catalog.String}, {Name: "DEPTH", Type: catalog.Integer}},
		},
		{
			ID: "nowhere", Title: "Without image", Image: "localhost/test/nowhere:1",
			Endpoints: []catalog.Endpoint{{Name: "vnc", Port: vncPort, Protocol: catalog.RFB}},
		},
		{
			ID: "broken", Title: "Exits at once", Image: "localhost/test/broken:1",
			Endpoints: []catalog.Endpoint{{Name: "vnc", Port: vncPort, Protocol: catalog.RFB}},
		},
	}}
	b.engine.SetImage("localhost/test/broken:1", fake.Image{Program: func(_ context.Context, p *fake.Process) int {
		fmt.Fprintln(p.Stderr(), "no display")
		return 3
	}})
	current := func() *catalog.Catalog { return apps }
	var err error
	managed := managerOptions(b.dir, current)
	managed.Logger = b.log.logger()
	for _, change := range changes {
		if change, ok := change.(func(*session.Options)); ok {
			change(&managed)
		}
	}
	b.manager, err = session.New(b.engine, managed)
	if err != nil {
		t.Fatal(err)
	}
	opts := httpapi.Options{
		Logger: b.log.logger(), Version: "v1", Catalog: current,
		Page: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") }),
	}
	for _, change := range changes {
		if change, ok := change.(func(*httpapi.Options)); ok {
			change(&opts)
		}
	}
	b.api = httpapi.New(b.manager, opts)
	b.server = httptest.NewServer(b.api)
	t.Cleanup(func() {
		b.engine.Heal()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.manager.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := b.api.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		b.server.Client().CloseIdleConnections()
		b.server.Close()
		b.engine.Reset()
	})
	return b
}

// answer is one answer, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// call makes a request; each header is "Name: value".
func (b *bench) call(method, path, body string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	client := *b.server.Client() // Others call at the same time.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(resp)
}

func (b *bench) read(resp *http.Response) answer {
	b.t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// raw sends a request line as it is, which no client would.
func (b *bench) raw(method, target, body string) answer {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.server.Listener.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, target, len(body), body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(resp)
}

// post starts a desktop as a client does.
func (b *bench) post(uid, body string, headers ...string) answer {
	b.t.Helper()
	return b.call(http.MethodPost, "/api/vm/any/"+uid, body, append([]string{"Content-Type: application/json"}, headers...)...)
}

// start starts a desktop that has to come up.
func (b *bench) start(uid string) api.StartResponse {
	b.t.Helper()
	a := b.post(uid, `{"vm":"desk"}`)
	if a.status != http.StatusOK {
		b.t.Fatalf("%d %s", a.status, a.body)
	}
	return decode[api.StartResponse](b.t, a)
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var out T
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	return out
}

// wantProblem checks that an answer is a whole problem document.
func wantProblem(t *testing.T, a answer, status int, code string) api.Problem {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q: %s", got, a.body)
	}
	p := decode[api.Problem](t, a)
	if p.Code != code {
		t.Errorf("code %q, want %q: %s", p.Code, code, a.body)
	}
	if p.Type != "about:blank" || p.Title == "" || p.Status != a.status || p.Detail == "" || p.Details != p.Detail {
		t.Errorf("incomplete: %s", a.body)
	}
	if retry := a.header.Get("Retry-After"); (retry != "") != (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) {
		t.Errorf("status %d with Retry-After %q", status, retry)
	}
	return p
}

// wantNothing says that nothing was left behind.
func (b *bench) wantNothing() {
	b.t.Helper()
	if c := b.engine.Containers(); len(c) > 0 {
		b.t.Errorf("containers: %+v", c)
	}
	if v := b.engine.Volumes(); len(v) > 0 {
		b.t.Errorf("volumes: %q", v)
	}
	err := filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "key" {
			b.t.Errorf("file: %s", path)
		}
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
}
