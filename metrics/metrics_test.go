package metrics_test

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"sage/catalog"
	"sage/httpapi"
	"sage/metrics"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// TestMain looks for goroutines that are left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	port    = 5900
	picture = 64 << 10
	secret  = "sesame"
)

// bench is a whole Sage on a fake engine, with metrics.
type bench struct {
	t       *testing.T
	engine  *fake.Runtime
	manager *session.Manager
	server  *httptest.Server
}

func newBench(t *testing.T) *bench {
	t.Helper()
	app := func(id string) catalog.App {
		return catalog.App{
			ID: id, Title: id, Image: "localhost/test/" + id + ":1", Endpoints: []catalog.Endpoint{{Name: "vnc", Port: port, Protocol: catalog.RFB}},
		}
	}
	apps := &catalog.Catalog{Apps: []catalog.App{app("desk"), app("broken"), app("nowhere")}}
	b := &bench{t: t, engine: fake.New(fake.Options{Images: map[string]fake.Image{
		"localhost/test/desk:1": {Program: fake.Serves(port, func(_ context.Context, conn net.Conn) {
			_, _ = conn.Write(append([]byte(fake.Greeting), make([]byte, picture)...))
			_, _ = io.Copy(io.Discard, conn)
		})},
		"localhost/test/broken:1": {Program: fake.Exits(3)},
	}})}
	m := metrics.New("v7")
	var err error
	current := func() *catalog.Catalog { return apps }
	b.manager, err = session.New(m.Runtime(b.engine), session.Options{
		Catalog: current, DataDir: t.TempDir(), BaseName: "collab-vm-", Instance: "one",
		PublishIP: netip.MustParseAddr("127.0.0.1"), PortStart: 11000, PortEnd: 11010,
		StartTimeout: time.Minute, ImageTimeout: time.Minute, StartsAtOnce: 10, QueueTimeout: time.Minute, FirstClientGrace: time.Hour, IdleTimeout: time.Hour,
		StopGrace: time.Second, ReconcileInterval: time.Hour, Logger: slog.New(slog.DiscardHandler), Observer: m,
	})
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(b.manager, httpapi.Options{
		Logger: slog.New(slog.DiscardHandler), Catalog: current, Page: http.NotFoundHandler(), Metrics: m.Handler(), Token: secret,
	})
	m.Watch(metrics.Sources{
		Sessions: b.manager.List, Streams: api.Streams, Traffic: api.Traffic,
		Catalog: func() catalog.Status { return catalog.Status{Generation: 3, LoadedAt: time.UnixMilli(1500)} },
	})
	b.server = httptest.NewServer(api)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.manager.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := api.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		b.server.Client().CloseIdleConnections()
		b.server.Close()
		b.engine.Reset()
	})
	return b
}

// scrape gives what Prometheus would get.
func (b *bench) scrape() string {
	b.t.Helper()
	status, text := b.get(secret)
	if status != http.StatusOK {
		b.t.Fatalf("status %d: %s", status, text)
	}
	return text
}

func (b *bench) get(bearer string) (status int, text string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+"/metrics", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := b.server.Client().Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// want waits until a scrape has every line: what streams do is done by other goroutines.
func (b *bench) want(lines ...string) {
	b.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for _, line := range lines {
		for {
			text := b.scrape()
			if strings.Contains(text, "\n"+line+"\n") {
				break
			}
			if time.Now().After(deadline) {
				b.t.Fatalf("no line %q in\n%s", line, text)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func (b *bench) start(uid, app string, ok bool) session.Session {
	b.t.Helper()
	s, err := b.manager.Start(b.t.Context(), uid, session.Request{App: app})
	if (err == nil) != ok {
		b.t.Fatalf("start of %s: %v", app, err)
	}
	return s
}

// TestMetrics: a life of desktops is found in the numbers.
func TestMetrics(t *testing.T) {
	b := newBench(t)
	alice := b.start("alice", "desk", true)
	b.start("bob", "desk", true)
	b.start("carol", "broken", false)
	b.start("dave", "nowhere", false)
	b.want(
		`sage_starts_total{app="desk",result="ready"} 2`,
		`sage_starts_total{app="broken",result="failed"} 1`,
		`sage_start_failures_total{app="broken",phase="ready"} 1`,
		`sage_start_failures_total{app="nowhere",phase="image"} 1`,
		`sage_start_duration_seconds_count{app="desk"} 2`,
		`sage_start_phase_duration_seconds_count{phase="image"} 1`,
		`sage_start_phase_duration_seconds_count{phase="start"} 3`,
		`sage_start_phase_duration_seconds_count{phase="ready"} 3`,
		`sage_sessions{app="desk",state="ready"} 2`,
		`sage_sessions{app="broken",state="failed"} 1`,
		`sage_engine_calls_total{op="start",result="ok"} 3`,
		`sage_engine_calls_total{op="ensureimage",result="image_not_found"} 1`,
		`sage_engine_call_duration_seconds_count{op="start"} 3`,
		`sage_build_info{version="v7"} 1`,
		`sage_catalog_generation 3`,
		`sage_catalog_last_reload_successful 1`,
		`sage_catalog_last_reload_success_timestamp_seconds 1.5`,
		`sage_streams 0`,
	)

	// Two clients, and one picture: the second one's is not the first.
	for range 2 {
		ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(b.server.URL, "http")+"/stream/"+alice.Token+"/vnc", nil)
		if err != nil {
			t.Fatal(err)
		}
		ws.SetReadLimit(1 << 20)
		got := 0
		for got < len(fake.Greeting)+picture {
			_, data, err := ws.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got += len(data)
		}
		b.want(`sage_streams 1`, `sage_sessions{app="desk",state="occupied"} 1`, `sage_first_picture_seconds_count{app="desk"} 1`)
		if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		b.want(`sage_streams 0`)
	}
	if sent := b.value("sage_stream_sent_bytes_total"); sent < 2*picture {
		t.Errorf("%v bytes were sent", sent)
	}
	if received := b.value("sage_stream_received_bytes_total"); received <= 0 {
		t.Errorf("%v bytes were received", received)
	}

	if err := b.manager.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	b.want(`sage_stops_total{app="desk",reason="stopped by request"} 1`, `sage_sessions{app="desk",state="ready"} 1`)
	b.engine.Unavailable(true)
	if _, err := b.manager.Ping(t.Context()); err == nil {
		t.Error("an engine that is away answers")
	}
	b.want(`sage_engine_calls_total{op="ping",result="unavailable"} 1`)
}

// value reads one number without labels.
func (b *bench) value(name string) float64 {
	b.t.Helper()
	for line := range strings.Lines(b.scrape()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				b.t.Fatal(err)
			}
			return v
		}
	}
	b.t.Fatalf("no %s", name)
	return 0
}

// TestNames: names and help follow Prometheus' conventions.
func TestNames(t *testing.T) {
	b := newBench(t)
	b.start("alice", "desk", true)
	b.start("carol", "broken", false)
	problems, err := promlint.New(bytes.NewReader([]byte(b.scrape()))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestMetricsNeedTheToken like the API does.
func TestMetricsNeedTheToken(t *testing.T) {
	b := newBench(t)
	for _, wrong := range []string{"", "other"} {
		if status, text := b.get(wrong); status != http.StatusUnauthorized || strings.Contains(text, "sage_") {
			t.Errorf("with token %q: status %d", wrong, status)
		}
	}
}

// TestEveryEngineCallIsCounted: a call that the contract gets is not forgotten here.
func TestEveryEngineCallIsCounted(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "engine.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]bool{"Close": true} // It is none.
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
			counted[f.Name.Name] = true
		}
	}
	contract := reflect.TypeFor[runtime.Runtime]()
	for i := range contract.NumMethod() {
		if name := contract.Method(i).Name; !counted[name] {
			t.Errorf("%s is not counted", name)
		}
	}
}
