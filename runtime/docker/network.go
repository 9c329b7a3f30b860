package docker

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"sage/runtime"
)

// lookAround finds the networks that this process is on, in a container of this
// engine, and where that container's ports are published.
func (e *engine) lookAround(ctx context.Context) error {
	for _, id := range runtime.Self() {
		found, err := e.api.ContainerInspect(ctx, id)
		switch {
		case errdefs.IsNotFound(err):
			continue // It is a container of another engine, or none.
		case err != nil:
			return err
		}
		if joined := runtime.Attached(networksOf(found), bridge); len(joined) > 0 {
			e.info.Networks, e.info.Published = joined, publishedOf(found)
			return nil
		}
	}
	return nil
}

// publishedOf returns where the ports of a container are published.
func publishedOf(c container.InspectResponse) []netip.AddrPort {
	var out []netip.AddrPort
	for _, bindings := range c.NetworkSettings.Ports {
		for _, b := range bindings {
			if at, ok := runtime.ParsePublished(b.HostIP, b.HostPort); ok {
				out = append(out, at)
			}
		}
	}
	return out
}

// subnets returns the address ranges of the engine's networks.
func (e *engine) subnets(ctx context.Context) ([]netip.Prefix, error) {
	if e.info.Rootless {
		return nil, nil
	}
	found, err := e.api.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, n := range found {
		for _, config := range n.IPAM.Config {
			if subnet, err := netip.ParsePrefix(config.Subnet); err == nil {
				out = append(out, subnet.Masked())
			}
		}
	}
	return out, nil
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
