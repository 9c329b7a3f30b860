package podman_test

import (
	"testing"

	"sage/runtime"
	"sage/runtime/podman"
	"sage/runtime/runtimetest"
)

// connect gives a real engine, or skips the test.
func connect(t *testing.T, engine string) *podman.Runtime {
	t.Helper()
	rt, err := podman.New(podman.Options{Host: runtimetest.EngineHost(t, engine)})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	info, err := rt.Ping(t.Context())
	if err != nil {
		t.Fatalf("ping: %v", err)
	}
	runtimetest.Report(t, engine, info)
	return rt
}

func engines() []string { return []string{"podman", "podman-rootless"} }

func TestConformance(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			runtimetest.Run(t, runtimetest.Harness{
				Network: "podman",
				New:     func(t *testing.T) runtime.Runtime { return connect(t, engine) },
			})
		})
	}
}
