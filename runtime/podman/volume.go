package podman

import (
	"context"

	"github.com/containers/podman/v5/pkg/bindings/volumes"
	"github.com/containers/podman/v5/pkg/domain/entities/types"

	"sage/runtime"
)

// Volume implements runtime.Runtime.
func (r *Runtime) Volume(ctx context.Context, name string) (bool, error) {
	if !runtime.ValidName(name) {
		return false, nil
	}
	return call(ctx, r, "volume", name, func(ctx context.Context, _ *link) (bool, error) {
		return volumeExists(ctx, name)
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
		there, err := volumeExists(ctx, name)
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

// ensureVolume makes a volume that is not there.
func ensureVolume(ctx context.Context, name string, labels map[string]string) error {
	there, err := volumeExists(ctx, name)
	if err != nil || there {
		return err
	}
	_, err = volumes.Create(ctx, types.VolumeCreateOptions{Name: name, Labels: labels}, nil)
	if err == nil || kindOf("create", err) != runtime.ErrConflict {
		return err
	}
	// Somebody else made it in the meantime.
	return nil
}

// volumeExists looks for exactly this name. The bindings' Exists would take an
// engine that fails for an answer.
func volumeExists(ctx context.Context, name string) (bool, error) {
	found, err := volumes.Inspect(ctx, name, nil)
	switch {
	case err == nil:
		return found.Name == name, nil
	case kindOf("volume", err) == runtime.ErrNotFound:
		return false, nil
	}
	return false, err
}
