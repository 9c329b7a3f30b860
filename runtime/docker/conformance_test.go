package docker_test

import (
	"testing"

	"sage/runtime"
	"sage/runtime/docker"
	"sage/runtime/runtimetest"
)

// connect gives the real engine, or skips the test.
func connect(t *testing.T) *docker.Runtime {
	t.Helper()
	rt, err := docker.New(docker.Options{Host: runtimetest.EngineHost(t, "docker")})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	return rt
}

func TestConformance(t *testing.T) {
	runtimetest.Run(t, runtimetest.Harness{
		Network: "bridge",
		New: func(t *testing.T) runtime.Runtime {
			rt := connect(t)
			info, err := rt.Ping(t.Context())
			if err != nil {
				t.Fatalf("ping: %v", err)
			}
			runtimetest.Report(t, "docker", info)
			return rt
		},
	})
}
