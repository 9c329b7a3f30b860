package podman

import (
	"context"
	"fmt"

	"github.com/containers/podman/v5/pkg/bindings/volumes"
	"github.com/containers/podman/v5/pkg/domain/entities/types"

	"sage/runtime"
)

// Volume implements runtime.Runtime.
func (r *Runtime) Volume(ctx context.Context, name string) (runtime.Volume, error) {
	const op = "volume"
	if !runtime.ValidName(name) {
		return runtime.Volume{}, failure(op, name, runtime.ErrNotFound, nil)
	}
	return call(ctx, r, op, name, func(ctx context.Context, _ *link) (runtime.Volume, error) {
		found, there, err := findVolume(ctx, name)
		if err == nil && !there {
			err = failure(op, name, runtime.ErrNotFound, nil)
		}
		return found, err
	})
}

// EnsureVolume implements runtime.Runtime.
func (r *Runtime) EnsureVolume(ctx context.Context, name string, labels map[string]string) (runtime.Volume, error) {
	const op = "ensurevolume"
	if !runtime.ValidName(name) {
		return runtime.Volume{}, failure(op, name, runtime.ErrInvalid, fmt.Errorf("volume name %q", name))
	}
	return call(ctx, r, op, name, func(ctx context.Context, _ *link) (runtime.Volume, error) {
		for {
			found, there, err := findVolume(ctx, name)
			if err != nil || there {
				return found, err
			}
			made, err := volumes.Create(ctx, types.VolumeCreateOptions{Name: name, Labels: labels}, nil)
			if err == nil {
				return runtime.Volume{Name: made.Name, Labels: made.Labels}, nil
			}
			if kindOf("create", err) != runtime.ErrConflict {
				return runtime.Volume{}, err
			}
			// Another caller made it in the meantime.
			if ctx.Err() != nil {
				return runtime.Volume{}, ctx.Err()
			}
		}
	})
}

// RemoveVolume implements runtime.Runtime.
//
// The engine takes the beginning of a volume's name for the volume where no
// volume has exactly that name: asked to remove "alice" it removes "alice-2".
// So the volume must be there when it is removed, and removals go one after the
// other, that none takes another's volume away in between.
func (r *Runtime) RemoveVolume(ctx context.Context, name string) error {
	const op = "removevolume"
	if !runtime.ValidName(name) {
		return nil
	}
	return run(ctx, r, op, name, func(ctx context.Context, _ *link) error {
		select {
		case r.removing <- struct{}{}:
			defer func() { <-r.removing }()
		case <-ctx.Done():
			return ctx.Err()
		}
		_, there, err := findVolume(ctx, name)
		if err != nil || !there {
			return err
		}
		err = volumes.Remove(ctx, name, nil)
		if err != nil && kindOf(op, err) == runtime.ErrNotFound {
			return nil
		}
		return err
	})
}

// findVolume looks for exactly this name. The bindings' Exists would take an
// engine that fails for an answer.
func findVolume(ctx context.Context, name string) (found runtime.Volume, there bool, err error) {
	answer, err := volumes.Inspect(ctx, name, nil)
	switch {
	case err == nil && answer.Name == name:
		return runtime.Volume{Name: name, Labels: answer.Labels}, true, nil
	case err == nil || kindOf("volume", err) == runtime.ErrNotFound:
		return runtime.Volume{}, false, nil
	}
	return runtime.Volume{}, false, err
}
