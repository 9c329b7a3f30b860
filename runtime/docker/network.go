package docker

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"sage/runtime"
)

// networks are those that this process is on, in a container of this engine.
func (e *engine) networks(ctx context.Context) ([]runtime.Network, error) {
	for _, id := range runtime.Self() {
		found, err := e.api.ContainerInspect(ctx, id)
		switch {
		case errdefs.IsNotFound(err):
			continue // It is a container of another engine, or none.
		case err != nil:
			return nil, err
		}
		if joined := runtime.Attached(networksOf(found), bridge); len(joined) > 0 {
			return joined, nil
		}
	}
	return nil, nil
}

func networksOf(c container.InspectResponse) []runtime.Network {
	if c.NetworkSettings == nil {
		return nil
	}
	var out []runtime.Network
	for name, endpoint := range c.NetworkSettings.Networks {
		if endpoint == nil {
			continue
		}
		if n, ok := runtime.ParseNetwork(name, endpoint.IPAddress, endpoint.Gateway); ok {
			out = append(out, n)
		}
	}
	return out
}

// checkNetwork wants the network of a spec to exist: the engine would only say at
// the start that it does not, and as if it were the container.
func (e *engine) checkNetwork(ctx context.Context, op string, spec runtime.Spec) error {
	if spec.Network == "" || e.info.Joins(spec.Network) {
		return nil
	}
	_, err := e.api.NetworkInspect(ctx, spec.Network, network.InspectOptions{})
	if errdefs.IsNotFound(err) {
		return failure(op, spec.Name, runtime.ErrInvalid, fmt.Errorf("there is no network %s: make it with docker network create", spec.Network))
	}
	return fault(ctx, op, spec.Name, err)
}
