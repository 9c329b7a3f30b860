package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"sage/metrics"
)

// TestRefused: refusals are counted by their code, and connections that a limit
// closed.
func TestRefused(t *testing.T) {
	m := metrics.New("v1")
	m.Refused("unauthorized")
	m.Refused("unauthorized")
	m.Refused("too_many_attempts")
	m.Dropped()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`sage_refused_requests_total{code="unauthorized"} 2`, `sage_refused_requests_total{code="too_many_attempts"} 1`, "sage_dropped_connections_total 1",
	} {
		if !strings.Contains(answer.Body.String(), want+"\n") {
			t.Errorf("lacks %s", want)
		}
	}
}
