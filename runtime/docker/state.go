package docker

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/go-connections/nat"

	"sage/runtime"
)

// Inspect implements runtime.Runtime.
func (r *Runtime) Inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	_, found, err := r.inspect(ctx, "inspect", id)
	if err != nil {
		return runtime.Container{}, err
	}
	return detail(found), nil
}

// inspect asks for a container on behalf of op. The answer's parts are there.
func (r *Runtime) inspect(ctx context.Context, op string, id runtime.ID) (*engine, container.InspectResponse, error) {
	e, err := r.current(ctx)
	if err != nil {
		return nil, container.InspectResponse{}, fault(ctx, op, string(id), err)
	}
	if !validID(id) {
		return nil, container.InspectResponse{}, failure(op, string(id), runtime.ErrNotFound, nil)
	}
	found, err := e.look(ctx, id)
	if err != nil {
		return nil, container.InspectResponse{}, fault(ctx, op, string(id), err)
	}
	return e, found, nil
}

// look asks for a container and insists on a whole answer.
func (e *engine) look(ctx context.Context, id runtime.ID) (container.InspectResponse, error) {
	found, err := e.api.ContainerInspect(ctx, string(id))
	if err != nil {
		return container.InspectResponse{}, err
	}
	return found, whole(found)
}

// whole refuses a description without the parts that are read.
func whole(found container.InspectResponse) error {
	if found.ContainerJSONBase == nil || found.State == nil || found.HostConfig == nil || found.Config == nil {
		return errors.New("the engine's description of the container is incomplete")
	}
	return nil
}

// validID tells whether id is a whole identifier. The engine would also take
// names and beginnings of identifiers, and find a container that nobody meant.
func validID(id runtime.ID) bool {
	for _, c := range []byte(id) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return len(id) == 64
}

// List implements runtime.Runtime.
func (r *Runtime) List(ctx context.Context, selector runtime.Selector) ([]runtime.Container, error) {
	const op = "list"
	if selector.Empty() {
		return nil, failure(op, "", runtime.ErrInvalid, errEmptySelector)
	}
	e, err := r.current(ctx)
	if err != nil {
		return nil, fault(ctx, op, "", err)
	}
	query := filters.NewArgs()
	for key, value := range selector.Labels {
		query.Add("label", key+"="+value)
	}
	all, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: query})
	if err != nil {
		return nil, fault(ctx, op, "", err)
	}
	out := make([]runtime.Container, 0, len(all))
	for _, c := range all {
		if one := summary(c); selector.Matches(one.Name, one.Labels) {
			out = append(out, one)
		}
	}
	return out, nil
}

// summary describes a container of the engine's list.
func summary(c container.Summary) runtime.Container {
	out := runtime.Container{
		ID:        runtime.ID(c.ID),
		Image:     c.Image,
		Labels:    c.Labels,
		State:     word(c.State),
		CreatedAt: time.Unix(c.Created, 0).UTC(),
	}
	if len(c.Names) > 0 {
		out.Name = strings.TrimPrefix(c.Names[0], "/")
	}
	return out
}

// detail describes a container with every field.
func detail(c container.InspectResponse) runtime.Container {
	out := runtime.Container{
		ID:        runtime.ID(c.ID),
		Name:      strings.TrimPrefix(c.Name, "/"),
		Image:     c.Config.Image,
		Labels:    c.Config.Labels,
		State:     state(c.State),
		CreatedAt: moment(c.Created),
		StartedAt: moment(c.State.StartedAt),
		Ports:     published(c),
	}
	switch out.State {
	case runtime.StateRunning, runtime.StatePaused:
		out.Address = address(c)
	case runtime.StateExited:
		out.FinishedAt = moment(c.State.FinishedAt)
		// Engines note the start after the fact, and so for a program that ends at
		// once sometimes after its end.
		if out.FinishedAt.Before(out.StartedAt) {
			out.FinishedAt = out.StartedAt
		}
		out.ExitCode = c.State.ExitCode
		out.OOMKilled = c.State.OOMKilled
	}
	return out
}

// state is the state of a container that was inspected.
func state(s *container.State) runtime.State {
	return word(s.Status)
}

// word translates an engine's word for a state.
func word(s container.ContainerState) runtime.State {
	switch s {
	case container.StateCreated:
		return runtime.StateCreated
	case container.StateRunning, container.StateRestarting:
		return runtime.StateRunning
	case container.StatePaused:
		return runtime.StatePaused
	case container.StateRemoving:
		return runtime.StateStopping
	default:
		// "exited", and "dead": ended, with a removal that failed.
		return runtime.StateExited
	}
}

// moment parses the engine's time; its zero time is the zero time.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.IsZero() {
		return time.Time{}
	}
	return t
}

// address is a container's own address, on whichever network it has one.
func address(c container.InspectResponse) netip.Addr {
	if c.NetworkSettings == nil {
		return netip.Addr{}
	}
	for _, endpoint := range c.NetworkSettings.Networks {
		if endpoint == nil {
			continue
		}
		if found, err := netip.ParseAddr(endpoint.IPAddress); err == nil {
			return found
		}
	}
	return netip.Addr{}
}

// published are the ports in use, or where the engine publishes none yet those
// that were asked for.
func published(c container.InspectResponse) []runtime.PortBinding {
	if c.NetworkSettings != nil {
		if found := bindings(c.NetworkSettings.Ports); len(found) > 0 {
			return found
		}
	}
	return bindings(c.HostConfig.PortBindings)
}

// bindings translates the engine's table of ports, sorted.
func bindings(table nat.PortMap) []runtime.PortBinding {
	var out []runtime.PortBinding
	for key, hosts := range table {
		inside, err := strconv.ParseUint(key.Port(), 10, 16)
		if err != nil || key.Proto() != "tcp" {
			continue
		}
		for _, host := range hosts {
			outside, err := strconv.ParseUint(host.HostPort, 10, 16)
			if err != nil {
				continue
			}
			ip, err := netip.ParseAddr(host.HostIP)
			if err != nil {
				ip = netip.IPv4Unspecified()
			}
			out = append(out, runtime.PortBinding{ContainerPort: uint16(inside), HostIP: ip, HostPort: uint16(outside)})
		}
	}
	slices.SortFunc(out, func(a, b runtime.PortBinding) int {
		return cmp.Or(cmp.Compare(a.ContainerPort, b.ContainerPort), a.HostIP.Compare(b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
	})
	return out
}
