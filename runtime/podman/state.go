package podman

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/bindings/containers"
	"github.com/containers/podman/v5/pkg/domain/entities/types"

	"sage/runtime"
)

// Inspect implements runtime.Runtime.
func (r *Runtime) Inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	const op = "inspect"
	if !validID(id) {
		return runtime.Container{}, unknown(op, id)
	}
	return call(ctx, r, op, string(id), func(ctx context.Context, _ *link) (runtime.Container, error) {
		return inspect(ctx, id)
	})
}

func inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	found, err := look(ctx, id)
	if err != nil {
		return runtime.Container{}, err
	}
	return inspected(found), nil
}

// inspected translates what the engine tells of one container.
func inspected(found *define.InspectContainerData) runtime.Container {
	c := runtime.Container{
		ID:        runtime.ID(found.ID),
		Name:      found.Name,
		Image:     found.ImageName,
		State:     runtime.StateExited,
		CreatedAt: found.Created,
	}
	if found.Config != nil {
		c.Labels = found.Config.Labels
	}
	if found.State != nil {
		c.State = state(found.State.Status)
		c.StartedAt = sinceEpoch(found.State.StartedAt)
		if c.State == runtime.StateExited {
			c.FinishedAt = sinceEpoch(found.State.FinishedAt)
			if !c.FinishedAt.IsZero() && c.FinishedAt.Before(c.StartedAt) {
				// The engine notes the start of a quick program after its end.
				c.FinishedAt = c.StartedAt
			}
			c.ExitCode = int(found.State.ExitCode)
			c.OOMKilled = found.State.OOMKilled
		}
	}
	if found.NetworkSettings != nil {
		c.Ports = publishedPorts(found.NetworkSettings.Ports)
		if c.State.Alive() {
			c.Address = address(found.NetworkSettings)
		}
	}
	return c
}

// List implements runtime.Runtime.
func (r *Runtime) List(ctx context.Context, selector runtime.Selector) ([]runtime.Container, error) {
	const op = "list"
	if selector.Empty() {
		return nil, failure(op, "", runtime.ErrInvalid, errEmptySelector)
	}
	return call(ctx, r, op, "", func(ctx context.Context, _ *link) ([]runtime.Container, error) {
		options := new(containers.ListOptions).WithAll(true)
		if filters := labelFilters(selector.Labels); len(filters) > 0 {
			options = options.WithFilters(map[string][]string{"label": filters})
		}
		found, err := containers.List(ctx, options)
		if err != nil {
			return nil, err
		}
		out := make([]runtime.Container, 0, len(found))
		for i := range found {
			if one := listed(&found[i]); selector.Matches(one.Name, one.Labels) {
				out = append(out, one)
			}
		}
		return out, nil
	})
}

// labelFilters ask the engine to choose. It takes some characters for patterns;
// such labels are left to Selector.Matches, which has the last word anyway.
func labelFilters(labels map[string]string) []string {
	var out []string
	for name, value := range labels {
		if !strings.ContainsAny(name, `*?[\=`) && !strings.ContainsAny(value, `*?[\`) && value != "" {
			out = append(out, name+"="+value)
		}
	}
	slices.Sort(out)
	return out
}

// listed translates what the engine tells of a container in a list.
func listed(found *types.ListContainer) runtime.Container {
	c := runtime.Container{
		ID:        runtime.ID(found.ID),
		Image:     found.Image,
		Labels:    found.Labels,
		State:     state(found.State),
		CreatedAt: found.Created,
	}
	if len(found.Names) > 0 {
		c.Name = found.Names[0]
	}
	return c
}

// state puts the engine's word into the contract's.
func state(word string) runtime.State {
	switch word {
	case "created", "configured", "initialized":
		// "initialized" is the moment between made and run.
		return runtime.StateCreated
	case "running":
		return runtime.StateRunning
	case "paused":
		return runtime.StatePaused
	case "stopping", "removing":
		return runtime.StateStopping
	default:
		// "stopped" has ended and is not cleaned up yet; of an "unknown" one
		// nothing is left that runs.
		return runtime.StateExited
	}
}

// sinceEpoch makes the engine's ways of saying never the zero time.
func sinceEpoch(t time.Time) time.Time {
	if t.Unix() <= 0 {
		return time.Time{}
	}
	return t
}

// publishedPorts translates the map that the engine keys by "8080/tcp".
func publishedPorts(ports map[string][]define.InspectHostPort) []runtime.PortBinding {
	var out []runtime.PortBinding
	for key, bindings := range ports {
		number, protocol, _ := strings.Cut(key, "/")
		container, err := strconv.ParseUint(number, 10, 16)
		if err != nil || protocol != "tcp" {
			continue
		}
		for _, binding := range bindings {
			host, err := strconv.ParseUint(binding.HostPort, 10, 16)
			if err != nil || host == 0 {
				continue
			}
			out = append(out, runtime.PortBinding{
				ContainerPort: uint16(container),
				HostIP:        hostIP(binding.HostIP),
				HostPort:      uint16(host),
			})
		}
	}
	sortPorts(out)
	return out
}

// hostIP reads an address; the engine leaves out the one that means all.
func hostIP(text string) netip.Addr {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip
	}
	return netip.IPv4Unspecified()
}

func sortPorts(ports []runtime.PortBinding) {
	slices.SortFunc(ports, func(a, b runtime.PortBinding) int {
		return cmp.Or(cmp.Compare(a.ContainerPort, b.ContainerPort), a.HostIP.Compare(b.HostIP),
			cmp.Compare(a.HostPort, b.HostPort))
	})
}

// address is the container's own on its network, invalid where it has none.
func address(settings *define.InspectNetworkSettings) netip.Addr {
	if ip, err := netip.ParseAddr(settings.IPAddress); err == nil {
		return ip
	}
	for _, network := range settings.Networks {
		if ip, err := netip.ParseAddr(network.IPAddress); err == nil {
			return ip
		}
	}
	return netip.Addr{}
}
