package podman

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containers/podman/v5/pkg/bindings/containers"

	"sage/runtime"
)

// idLength is that of every identifier of a container. The engine would also
// take a name or the beginning of an identifier, and so mean another container.
const idLength = 64

func validID(id runtime.ID) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(id) == idLength
}

// unknown is the error about an identifier that no container can have.
func unknown(op string, id runtime.ID) error {
	return failure(op, string(id), runtime.ErrNotFound, errors.New("this is not a container's identifier"))
}

// Create implements runtime.Runtime.
func (r *Runtime) Create(ctx context.Context, spec runtime.Spec) (runtime.ID, error) {
	const op = "create"
	return call(ctx, r, op, spec.Name, func(ctx context.Context, l *link) (runtime.ID, error) {
		g, err := translate(spec, l.info)
		if err != nil {
			return "", failure(op, spec.Name, runtime.ErrInvalid, err)
		}
		if err := l.checkNetwork(ctx, op, spec); err != nil {
			return "", err
		}
		made, err := containers.CreateWithSpec(ctx, g, nil)
		return runtime.ID(made.ID), err
	})
}

// Start implements runtime.Runtime. The engine would run an ended container
// again, so it is looked at first.
func (r *Runtime) Start(ctx context.Context, id runtime.ID) error {
	const op = "start"
	if !validID(id) {
		return unknown(op, id)
	}
	return run(ctx, r, op, string(id), func(ctx context.Context, _ *link) error {
		done, err := started(ctx, op, id)
		if done || err != nil {
			return err
		}
		err = containers.Start(ctx, string(id), nil)
		if err != nil && kindOf(op, err) == runtime.ErrConflict {
			// Somebody else was quicker.
			if done, again := started(ctx, op, id); done || again != nil {
				return again
			}
		}
		return err
	})
}

// started tells whether there is nothing left to start; the error says that it
// is too late for it.
func started(ctx context.Context, op string, id runtime.ID) (bool, error) {
	found, err := look(ctx, id)
	if err != nil {
		return false, err
	}
	switch state(found.State.Status) {
	case runtime.StateRunning, runtime.StatePaused:
		return true, nil
	case runtime.StateExited, runtime.StateStopping:
		return false, failure(op, string(id), runtime.ErrConflict, fmt.Errorf("the container is %s", found.State.Status))
	}
	return false, nil
}

// Stop implements runtime.Runtime.
func (r *Runtime) Stop(ctx context.Context, id runtime.ID, grace time.Duration) error {
	const op = "stop"
	if !validID(id) {
		return nil
	}
	return run(ctx, r, op, string(id), func(ctx context.Context, _ *link) error {
		timeout := wholeSeconds(grace)
		options := new(containers.StopOptions).WithTimeout(timeout)
		err := stop(ctx, id, options)
		if err == nil || kindOf(op, err) == runtime.ErrNotFound {
			return nil
		}
		if ctx.Err() != nil || disconnected(err) {
			return err
		}
		// The engine has many words for "it does not run"; its state has one.
		found, inspectErr := look(ctx, id)
		if inspectErr != nil {
			if kindOf(op, inspectErr) == runtime.ErrNotFound {
				return nil
			}
			return err
		}
		switch state(found.State.Status) {
		case runtime.StateCreated, runtime.StateExited:
			return nil
		case runtime.StatePaused:
			// It cannot hear the signal while it is frozen.
			if thawErr := containers.Unpause(ctx, string(id), nil); thawErr != nil {
				return errors.Join(err, thawErr)
			}
			return containers.Stop(ctx, string(id), options)
		}
		return err
	})
}

// stop asks the engine to stop a container, and looks after it meanwhile: where
// somebody else kills or removes it, the engine waits for the whole grace still.
func stop(ctx context.Context, id runtime.ID, options *containers.StopOptions) error {
	const pause = 500 * time.Millisecond
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- containers.Stop(ctx, string(id), options) }()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case err := <-stopped:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		found, err := look(ctx, id)
		if err != nil && kindOf("stop", err) == runtime.ErrNotFound {
			return nil
		}
		if err == nil && state(found.State.Status) == runtime.StateExited {
			return nil
		}
	}
}

// wholeSeconds rounds up, as the engine knows whole seconds only.
func wholeSeconds(grace time.Duration) uint {
	return uint((max(grace, 0) + time.Second - 1) / time.Second)
}

// Remove implements runtime.Runtime. It takes anonymous volumes along, which
// an image may have asked for; they belong to nobody else.
func (r *Runtime) Remove(ctx context.Context, id runtime.ID) error {
	const op = "remove"
	if !validID(id) {
		return nil
	}
	return run(ctx, r, op, string(id), func(ctx context.Context, _ *link) error {
		options := new(containers.RemoveOptions).WithForce(true).WithVolumes(true).WithTimeout(0)
		// While another request removes it or stops it, the engine may say that its
		// state forbids that.
		const (
			pause    = 50 * time.Millisecond
			attempts = 100
		)
		var err error
		for range attempts {
			_, err = containers.Remove(ctx, string(id), options)
			if err == nil || kindOf(op, err) == runtime.ErrNotFound {
				return nil
			}
			if kindOf(op, err) != runtime.ErrConflict {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
		return err
	})
}
