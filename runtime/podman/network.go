package podman

import (
	"context"
	"fmt"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/bindings/containers"
	"github.com/containers/podman/v5/pkg/bindings/network"

	"sage/runtime"
)

// networks are those that this process is on, in a container of this engine.
func networks(ctx context.Context) ([]runtime.Network, error) {
	for _, id := range runtime.Self() {
		found, err := containers.Inspect(ctx, id, nil)
		switch {
		case err != nil && kindOf("inspect", err) == runtime.ErrNotFound:
			continue // It is a container of another engine, or none.
		case err != nil:
			return nil, err
		}
		if joined := runtime.Attached(networksOf(found.NetworkSettings), defaultNetwork); len(joined) > 0 {
			return joined, nil
		}
	}
	return nil, nil
}

func networksOf(settings *define.InspectNetworkSettings) []runtime.Network {
	if settings == nil {
		return nil
	}
	var out []runtime.Network
	for name, endpoint := range settings.Networks {
		if n, ok := runtime.ParseNetwork(name, endpoint.IPAddress, endpoint.Gateway); ok {
			out = append(out, n)
		}
	}
	return out
}

// checkNetwork wants the network of a spec to exist.
func (l *link) checkNetwork(ctx context.Context, op string, spec runtime.Spec) error {
	if spec.Network == "" || l.info.Joins(spec.Network) {
		return nil
	}
	there, err := network.Exists(ctx, spec.Network, nil)
	if err == nil && !there {
		return failure(op, spec.Name, runtime.ErrInvalid, fmt.Errorf("there is no network %s: make it with podman network create", spec.Network))
	}
	return err
}
