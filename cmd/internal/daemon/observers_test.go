package daemon

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"sage/metrics"
	"sage/session"
)

// TestTraces: with an endpoint, a start is counted and sent; without, it is counted.
func TestTraces(t *testing.T) {
	var sent atomic.Int32
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent.Add(1) }))
	defer collector.Close()
	for endpoint, want := range map[string]int32{"": 0, collector.URL: 1} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		sent.Store(0)
		d := &Daemon{cfg: config(t)}
		counts := metrics.New("v1")
		observer, err := d.observe(t.Context(), counts)
		if err != nil {
			t.Fatal(err)
		}
		observer.Started(session.StartReport{App: "desk", Phases: []session.PhaseReport{{Phase: session.PhaseReady}}, Outcome: session.OutcomeReady})
		observer.Stopping("desk", session.StopIdle)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if sent.Load() != want {
			t.Errorf("endpoint %q: %d requests, want %d", endpoint, sent.Load(), want)
		}
		answer := httptest.NewRecorder()
		counts.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		for _, line := range []string{`sage_starts_total{app="desk",result="ready"} 1`, `sage_stops_total{app="desk",reason="its clients have left"} 1`} {
			if !strings.Contains(answer.Body.String(), line) {
				t.Errorf("endpoint %q: not counted: %s", endpoint, line)
			}
		}
	}
}
