package docker

import (
	"context"
	"errors"

	"sage/runtime"
)

// Volume implements runtime.Runtime.
func (r *Runtime) Volume(ctx context.Context, name string) (bool, error) {
	const op = "volume"
	e, err := r.current(ctx)
	if err != nil {
		return false, fault(ctx, op, name, err)
	}
	if !runtime.ValidName(name) {
		return false, nil
	}
	_, err = e.api.VolumeInspect(ctx, name)
	if err = fault(ctx, op, name, err); errors.Is(err, runtime.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
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
