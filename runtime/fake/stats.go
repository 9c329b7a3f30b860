package fake

import (
	"context"
	"errors"
	"time"

	"sage/runtime"
)

// What every running container uses and may use, beside the processor.
const (
	memoryUsed = 1 << 20
	memoryHost = 1 << 34
)

// Stats implements runtime.Runtime. The processor time is what programs have
// spent with Process.Burn; the network is not counted.
func (r *Runtime) Stats(ctx context.Context, id runtime.ID) (runtime.Stats, error) {
	if err := r.enter(ctx, OpStats, string(id)); err != nil {
		return runtime.Stats{}, err
	}
	if !r.options.Capabilities.Stats {
		return runtime.Stats{}, fail(OpStats, string(id), runtime.ErrUnsupported, errors.New("this engine counts nothing"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, there := r.containers[id]
	switch {
	case !there:
		return runtime.Stats{}, fail(OpStats, string(id), runtime.ErrNotFound, nil)
	case !c.runs():
		return runtime.Stats{}, fail(OpStats, string(id), runtime.ErrConflict, errors.New("it does not run"))
	}
	limit := c.spec.Limits.MemoryBytes
	if limit == 0 {
		limit = memoryHost
	}
	return runtime.Stats{
		At: time.Now(), CPU: c.burnt, MemoryBytes: memoryUsed, MemoryLimitBytes: limit, PIDs: 1,
		NetworkRxBytes: -1, NetworkTxBytes: -1,
	}, nil
}

// Burn spends processor time, without any.
func (p *Process) Burn(d time.Duration) {
	p.runtime.mu.Lock()
	defer p.runtime.mu.Unlock()
	p.container.burnt += d
}
