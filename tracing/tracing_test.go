package tracing_test

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"sage/catalog"
	"sage/runtime/fake"
	"sage/session"
	"sage/tracing"
)

// TestMain looks for goroutines that are left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	mu       sync.Mutex
	spans    []*spans.Span
	services []string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	data, err := io.ReadAll(body)
	var request v1.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(data, &request) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range request.ResourceSpans {
		for _, a := range rs.Resource.Attributes {
			if a.Key == "service.name" {
				c.services = append(c.services, a.Value.GetStringValue())
			}
		}
		for _, ss := range rs.ScopeSpans {
			c.spans = append(c.spans, ss.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// TestTraceOfStarts: a start is a trace with a span for each phase, inside of it and in order; a failure is marked where
// it happened.
func TestTraceOfStarts(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	if !tracing.Wanted() {
		t.Fatal("traces are not wanted")
	}
	tracer, err := tracing.New(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	app := func(id string) catalog.App {
		return catalog.App{ID: id, Image: "localhost/test/" + id + ":1", Endpoints: []catalog.Endpoint{{Name: "vnc", Port: 5900, Protocol: catalog.RFB}}}
	}
	apps := &catalog.Catalog{Apps: []catalog.App{app("desk"), app("nowhere")}}
	engine := fake.New(fake.Options{Images: map[string]fake.Image{"localhost/test/desk:1": {Program: fake.VNC(5900)}}})
	defer engine.Reset()
	manager, err := session.New(engine, session.Options{
		Catalog: func() *catalog.Catalog { return apps }, DataDir: t.TempDir(), BaseName: "collab-vm-", Instance: "one",
		PublishIP: netip.MustParseAddr("127.0.0.1"), PortStart: 11000, PortEnd: 11010, StartTimeout: time.Minute, ImageTimeout: time.Minute, StartsAtOnce: 10, QueueTimeout: time.Minute,
		FirstClientGrace: time.Hour, IdleTimeout: time.Hour, StopGrace: time.Second, ReconcileInterval: time.Hour,
		Logger: slog.New(slog.DiscardHandler), Observer: tracer,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manager.Start(t.Context(), "alice", session.Request{App: "desk"}); err != nil {
		t.Fatal(err)
	}
	if _, err := manager.Start(t.Context(), "bob", session.Request{App: "nowhere"}); err == nil {
		t.Fatal("an app without an image starts")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := manager.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := tracer.Close(ctx); err != nil { // Sends what is left.
		t.Error(err)
	}

	if len(c.services) == 0 || c.services[0] != "sage" {
		t.Errorf("services %q", c.services)
	}
	c.want(t, "alice", "", "settings", "create", "start", "ready")
	c.want(t, "bob", "image", "settings", "create", "image")
}

// want checks the trace of a uid's start: which phases, and in which of them it failed.
func (c *collector) want(t *testing.T, uid, failed string, phases ...string) {
	t.Helper()
	i := slices.IndexFunc(c.spans, func(s *spans.Span) bool {
		return slices.ContainsFunc(s.Attributes, func(a *common.KeyValue) bool { return a.Key == "sage.uid" && a.Value.GetStringValue() == uid })
	})
	if i < 0 {
		t.Fatalf("no trace of %s among %d spans", uid, len(c.spans))
	}
	root := c.spans[i]
	if root.Name != "start" || len(root.ParentSpanId) != 0 || (root.Status.GetCode() == spans.Status_STATUS_CODE_ERROR) != (failed != "") {
		t.Errorf("root of %s: %v", uid, root)
	}
	var got []string
	last := root.StartTimeUnixNano
	for _, s := range c.spans {
		if string(s.ParentSpanId) != string(root.SpanId) {
			continue
		}
		got = append(got, s.Name)
		if string(s.TraceId) != string(root.TraceId) || s.StartTimeUnixNano < last || s.EndTimeUnixNano > root.EndTimeUnixNano {
			t.Errorf("span %v is not inside of %v, after %d", s, root, last)
		}
		last = s.EndTimeUnixNano
		if (s.Status.GetCode() == spans.Status_STATUS_CODE_ERROR) != (s.Name == failed) {
			t.Errorf("status of %s: %v", s.Name, s.Status)
		}
	}
	if !slices.Equal(got, phases) {
		t.Errorf("phases of %s: %q, want %q", uid, got, phases)
	}
}

func TestOffWithoutEndpoint(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	if tracing.Wanted() {
		t.Error("traces are wanted without an endpoint")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
	if !tracing.Wanted() {
		t.Error("traces are not wanted with an endpoint of their own")
	}
}
