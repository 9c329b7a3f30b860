package podman

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/bindings"

	"sage/runtime"
)

// errNoStats is what an engine says that has no part of the control groups.
var errNoStats = errors.New("the engine has no control groups that count: without root it needs cgroup v2 " +
	"(boot with systemd.unified_cgroup_hierarchy=1) with the controllers memory and pids (systemd: Delegate=memory pids)")

// errNotRunning is about a container without processes.
var errNotRunning = errors.New("the container does not run")

// usage is what an engine counts of a container: the bindings' words, which are
// those of version 5, and what versions before said of the network.
type usage struct {
	define.ContainerStats
	NetInput, NetOutput *uint64
}

// Stats implements runtime.Runtime.
func (r *Runtime) Stats(ctx context.Context, id runtime.ID) (runtime.Stats, error) {
	const op = "stats"
	return call(ctx, r, op, string(id), func(ctx context.Context, l *link) (runtime.Stats, error) {
		if !l.info.Capabilities.Stats {
			return runtime.Stats{}, failure(op, string(id), runtime.ErrUnsupported, errNoStats)
		}
		if !validID(id) {
			return runtime.Stats{}, unknown(op, id)
		}
		found, err := count(ctx, id)
		if err != nil {
			return runtime.Stats{}, err
		}
		if found.SystemNano == 0 || found.PIDs == 0 {
			return runtime.Stats{}, uncounted(ctx, op, id)
		}
		return stats(found), nil
	})
}

// uncounted says why the engine gives nothing or zeros: its own error comes as an
// empty object.
func uncounted(ctx context.Context, op string, id runtime.ID) error {
	found, err := look(ctx, id)
	switch {
	case err != nil:
		return err
	case state(found.State.Status).Alive():
		return failure(op, string(id), runtime.ErrInternal, errors.New("the container runs, and the engine does not count what it uses"))
	default:
		return failure(op, string(id), runtime.ErrConflict, errNotRunning)
	}
}

// count asks the engine; it is empty where that has no answer.
func count(ctx context.Context, id runtime.ID) (usage, error) {
	connection, err := bindings.GetClient(ctx)
	if err != nil {
		return usage{}, err
	}
	response, err := connection.DoRequest(ctx, nil, http.MethodGet, "/containers/stats",
		url.Values{"containers": {string(id)}, "stream": {"false"}}, nil)
	if err != nil {
		return usage{}, err
	}
	defer response.Body.Close()
	if !response.IsSuccess() {
		return usage{}, response.Process(nil)
	}
	var said struct{ Stats []usage }
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return usage{}, fmt.Errorf("the engine's count: %w", err)
	}
	if len(said.Stats) == 0 {
		return usage{}, nil
	}
	return said.Stats[0], nil
}

// stats translates what an engine has counted.
func stats(found usage) runtime.Stats {
	out := runtime.Stats{
		At:               time.Unix(0, int64(found.SystemNano)).UTC(),
		CPU:              time.Duration(found.CPUNano),
		MemoryBytes:      int64(found.MemUsage),
		MemoryLimitBytes: int64(found.MemLimit),
		PIDs:             int64(found.PIDs),
		NetworkRxBytes:   -1, NetworkTxBytes: -1,
	}
	switch {
	case found.NetInput != nil && found.NetOutput != nil:
		out.NetworkRxBytes, out.NetworkTxBytes = int64(*found.NetInput), int64(*found.NetOutput)
	case len(found.Network) > 0:
		out.NetworkRxBytes, out.NetworkTxBytes = 0, 0
		for _, network := range found.Network {
			out.NetworkRxBytes += int64(network.RxBytes)
			out.NetworkTxBytes += int64(network.TxBytes)
		}
	}
	return out
}
