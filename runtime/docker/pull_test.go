package docker

import (
	"context"
	"testing"
	"time"

	"sage/runtime/runtimetest"
)

// TestPull needs no trust in the registry: the engine takes any on the loopback.
func TestPull(t *testing.T) {
	c := newCorner(t)
	registry := runtimetest.NewRegistry(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		c.removeImage(ctx, t, registry.Ref)
	})
	registry.Pull(t, c.rt)
}
