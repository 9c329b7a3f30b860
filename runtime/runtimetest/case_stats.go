package runtimetest

import (
	"net/http"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func statsCases() []testCase {
	return []testCase{
		{"stats count what a program uses", testStats},
		{"stats are of what runs", func(t *testing.T, s *scope) {
			kind := runtime.ErrConflict
			if !s.info.Capabilities.Stats {
				kind = runtime.ErrUnsupported
			}
			id := s.create(t, s.spec(t))
			_, err := s.rt.Stats(t.Context(), id)
			s.want(t, err, "stats", kind)
			spec := s.spec(t)
			spec.Env[app.EnvMode] = app.ModeExit
			id = s.start(t, spec)
			s.awaitExit(t, id)
			_, err = s.rt.Stats(t.Context(), id)
			s.want(t, err, "stats", kind)
		}},
	}
}

func testStats(t *testing.T, s *scope) {
	spec := s.spec(t, app.HTTPPort)
	spec.Limits = runtime.Limits{MemoryBytes: 96 << 20, PIDs: 77}
	p := s.run(t, spec)
	if !s.info.Capabilities.Stats {
		_, err := s.rt.Stats(t.Context(), p.id)
		s.want(t, err, "stats", runtime.ErrUnsupported)
		return
	}
	before := stats(t, s, p.id)
	const burnt = 200 * time.Millisecond
	if _, err := p.do(t.Context(), http.MethodPost, "/burn?time="+burnt.String(), nil); err != nil {
		t.Fatalf("burn: %v", err)
	}
	after := stats(t, s, p.id)
	// What the program calls its time may be counted in coarser steps.
	if used := after.CPU - before.CPU; used < burnt/2 {
		t.Errorf("processor time grew by %s, at least %s were used", used, burnt)
	}
	if !after.At.After(before.At) || before.At.IsZero() {
		t.Errorf("the moments are %s and %s", before.At, after.At)
	}
	if after.MemoryBytes <= 0 || after.MemoryBytes > after.MemoryLimitBytes {
		t.Errorf("%d bytes of memory, of at most %d", after.MemoryBytes, after.MemoryLimitBytes)
	}
	if s.info.Capabilities.MemoryLimit && after.MemoryLimitBytes != spec.Limits.MemoryBytes {
		t.Errorf("the limit is %d bytes of memory, want %d", after.MemoryLimitBytes, spec.Limits.MemoryBytes)
	}
	if after.PIDs < 1 || s.info.Capabilities.PIDsLimit && after.PIDs > spec.Limits.PIDs {
		t.Errorf("%d processes", after.PIDs)
	}
	if before.NetworkRxBytes >= 0 && (after.NetworkRxBytes <= before.NetworkRxBytes || after.NetworkTxBytes <= before.NetworkTxBytes) {
		t.Errorf("a request was answered, and the network's counts are %+v and %+v", before, after)
	}
	if (after.NetworkRxBytes < 0) != (after.NetworkTxBytes < 0) {
		t.Errorf("half of the network is counted: %+v", after)
	}
}

func stats(t *testing.T, s *scope, id runtime.ID) runtime.Stats {
	t.Helper()
	found, err := s.rt.Stats(t.Context(), id)
	if err != nil {
		t.Fatalf("stats: %v", err)
	}
	return found
}
