package docker

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/docker/docker/api/types/container"

	"sage/runtime"
)

// errNoStats is what an engine without control groups would have to say.
var errNoStats = errors.New("the engine has no control groups on this host, which count what a container uses")

// errNotRunning is about a container without processes.
var errNotRunning = errors.New("the container does not run")

// Stats implements runtime.Runtime. Engines before API 1.41 take a second for
// it, in which they look twice.
func (r *Runtime) Stats(ctx context.Context, id runtime.ID) (runtime.Stats, error) {
	const op = "stats"
	e, err := r.current(ctx)
	if err != nil {
		return runtime.Stats{}, fault(ctx, op, string(id), err)
	}
	if err := ctx.Err(); err != nil {
		return runtime.Stats{}, fault(ctx, op, string(id), err)
	}
	if !e.info.Capabilities.Stats {
		return runtime.Stats{}, failure(op, string(id), runtime.ErrUnsupported, errNoStats)
	}
	if !validID(id) {
		return runtime.Stats{}, failure(op, string(id), runtime.ErrNotFound, nil)
	}
	answer, err := e.api.ContainerStatsOneShot(ctx, string(id))
	if err != nil {
		return runtime.Stats{}, fault(ctx, op, string(id), err)
	}
	defer answer.Body.Close()
	var said container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return runtime.Stats{}, fault(ctx, op, string(id), err)
	}
	// Of a container that does not run, the engine gives zeros.
	if said.Read.IsZero() {
		return runtime.Stats{}, failure(op, string(id), runtime.ErrConflict, errNotRunning)
	}
	return stats(said), nil
}

// stats translates what an engine has counted.
func stats(said container.StatsResponse) runtime.Stats {
	out := runtime.Stats{
		At:               said.Read,
		CPU:              time.Duration(said.CPUStats.CPUUsage.TotalUsage),
		MemoryBytes:      int64(said.MemoryStats.Usage),
		MemoryLimitBytes: int64(said.MemoryStats.Limit),
		PIDs:             int64(said.PidsStats.Current),
		NetworkRxBytes:   -1, NetworkTxBytes: -1,
	}
	// Like "docker stats": version 1 of control groups has the first, version 2 the
	// second.
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if cache, ok := said.MemoryStats.Stats[name]; ok {
			out.MemoryBytes -= min(int64(cache), out.MemoryBytes)
			break
		}
	}
	if len(said.Networks) > 0 {
		out.NetworkRxBytes, out.NetworkTxBytes = 0, 0
	}
	for _, network := range said.Networks {
		out.NetworkRxBytes += int64(network.RxBytes)
		out.NetworkTxBytes += int64(network.TxBytes)
	}
	return out
}
