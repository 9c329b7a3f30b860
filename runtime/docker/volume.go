package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/volume"

	"sage/runtime"
)

// Volume implements runtime.Runtime.
func (r *Runtime) Volume(ctx context.Context, name string) (runtime.Volume, error) {
	const op = "volume"
	e, err := r.current(ctx)
	if err != nil {
		return runtime.Volume{}, fault(ctx, op, name, err)
	}
	if !runtime.ValidName(name) {
		return runtime.Volume{}, failure(op, name, runtime.ErrNotFound, nil)
	}
	found, err := e.api.VolumeInspect(ctx, name)
	if err != nil {
		return runtime.Volume{}, fault(ctx, op, name, err)
	}
	return runtime.Volume{Name: found.Name, Labels: found.Labels}, nil
}

// EnsureVolume implements runtime.Runtime. The engine answers a request to create
// a volume that exists with that volume (API: VolumeCreate).
func (r *Runtime) EnsureVolume(ctx context.Context, name string, labels map[string]string) (runtime.Volume, error) {
	const op = "ensurevolume"
	e, err := r.current(ctx)
	if err != nil {
		return runtime.Volume{}, fault(ctx, op, name, err)
	}
	// The engine would invent a name for an empty one.
	if !runtime.ValidName(name) {
		return runtime.Volume{}, failure(op, name, runtime.ErrInvalid, fmt.Errorf("volume name %q", name))
	}
	found, err := e.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: labels})
	if err != nil {
		return runtime.Volume{}, fault(ctx, op, name, err)
	}
	return runtime.Volume{Name: found.Name, Labels: found.Labels}, nil
}

// RemoveVolume implements runtime.Runtime.
func (r *Runtime) RemoveVolume(ctx context.Context, name string) error {
	const op = "removevolume"
	e, err := r.current(ctx)
	if err != nil {
		return fault(ctx, op, name, err)
	}
	if !runtime.ValidName(name) {
		return nil
	}
	const force = false
	if err := fault(ctx, op, name, e.api.VolumeRemove(ctx, name, force)); !errors.Is(err, runtime.ErrNotFound) {
		return err
	}
	return nil
}
