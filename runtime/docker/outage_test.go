package docker_test

import (
	"testing"

	"go.uber.org/goleak"

	"sage/runtime"
	"sage/runtime/docker"
	"sage/runtime/runtimetest"
)

func TestOutage(t *testing.T) {
	host := runtimetest.EngineHost(t, "docker")
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	runtimetest.RunOutage(t, host, func(host string) (runtime.Runtime, error) {
		return docker.New(docker.Options{Host: host})
	})
}
