package podman

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"sage/runtime"
)

// TestLookAtTheEnd has what a real service (4.3.1) says of a container whose
// program has just ended.
func TestLookAtTheEnd(t *testing.T) {
	var asked atomic.Int32
	rt := serve(t, func(w http.ResponseWriter, req *http.Request) {
		const before = 3
		if !strings.HasSuffix(req.URL.Path, "/json") || asked.Add(1) > before {
			_, _ = w.Write([]byte(`{"Id":"` + string(someID) + `","State":{"Status":"exited","ExitCode":7}}`))
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"cause":"no such process","message":"read /proc/21287/cgroup: no such process","response":500}`))
	})
	c, err := rt.Inspect(t.Context(), someID)
	if err != nil || c.State != runtime.StateExited || c.ExitCode != 7 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestLookGivesOtherErrorsAtOnce(t *testing.T) {
	var asked atomic.Int32
	rt := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"cause":"boom","message":"boom","response":500}`))
	})
	if _, err := rt.Inspect(t.Context(), someID); err == nil || asked.Load() != 1 {
		t.Errorf("got %v after %d requests", err, asked.Load())
	}
}
