package podman

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/bindings/containers"
	"github.com/containers/podman/v5/pkg/bindings/network"

	"sage/runtime"
)

// lookAround finds the networks that this process is on, in a container of this
// engine, and where that container's ports are published.
func (l *link) lookAround(ctx context.Context) error {
	for _, id := range runtime.Self() {
		found, err := containers.Inspect(ctx, id, nil)
		switch {
		case err != nil && kindOf("inspect", err) == runtime.ErrNotFound:
			continue // It is a container of another engine, or none.
		case err != nil:
			return err
		}
		if joined := runtime.Attached(networksOf(found.NetworkSettings), defaultNetwork); len(joined) > 0 {
			l.info.Networks, l.info.Published = joined, publishedOf(found.NetworkSettings)
			return nil
		}
	}
	return nil
}

// publishedOf returns where the ports of a container are published.
func publishedOf(settings *define.InspectNetworkSettings) []netip.AddrPort {
	var out []netip.AddrPort
	for _, bindings := range settings.Ports {
		for _, b := range bindings {
			if at, ok := runtime.ParsePublished(b.HostIP, b.HostPort); ok {
				out = append(out, at)
			}
		}
	}
	return out
}

// subnets returns the address ranges of the engine's networks.
func (l *link) subnets(ctx context.Context) ([]netip.Prefix, error) {
	if l.info.Rootless {
		return nil, nil
	}
	found, err := network.List(ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, n := range found {
		for _, s := range n.Subnets {
			if subnet, err := netip.ParsePrefix(s.Subnet.String()); err == nil {
				out = append(out, subnet.Masked())
			}
		}
	}
	return out, nil
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
