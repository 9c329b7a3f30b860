package podman_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"sage/runtime"
	"sage/runtime/podman"
	"sage/runtime/runtimetest"
)

func TestOutage(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			host := runtimetest.EngineHost(t, engine)
			ignore := goleak.IgnoreCurrent()
			t.Cleanup(func() {
				// The bindings' last attempts sleep without looking at their context.
				deadline := time.Now().Add(time.Minute)
				err := goleak.Find(ignore)
				for err != nil && time.Now().Before(deadline) {
					err = goleak.Find(ignore)
				}
				if err != nil {
					t.Error(err)
				}
			})
			runtimetest.RunOutage(t, host, func(host string) (runtime.Runtime, error) {
				return podman.New(podman.Options{Host: host})
			})
		})
	}
}
