package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"sage/runtime"
)

// Create implements runtime.Runtime.
func (r *Runtime) Create(ctx context.Context, spec runtime.Spec) (runtime.ID, error) {
	const op = "create"
	e, err := r.current(ctx)
	if err != nil {
		return "", fault(ctx, op, spec.Name, err)
	}
	q, err := translate(spec, e.info.Capabilities, e.logDriver)
	if err != nil {
		return "", failure(op, spec.Name, runtime.ErrInvalid, err)
	}
	if err := e.checkNetwork(ctx, op, spec); err != nil {
		return "", err
	}
	made, err := e.api.ContainerCreate(ctx, q.config, q.host, q.networking, nil, q.name)
	if err != nil {
		return "", fault(ctx, op, spec.Name, err)
	}
	return runtime.ID(made.ID), nil
}

// Start implements runtime.Runtime. The engine would run an ended container
// again, so it is looked at first.
func (r *Runtime) Start(ctx context.Context, id runtime.ID) error {
	const op = "start"
	e, found, err := r.inspect(ctx, op, id)
	if err != nil {
		return err
	}
	switch state(found.State) {
	case runtime.StateRunning, runtime.StatePaused:
		return nil
	case runtime.StateExited, runtime.StateStopping:
		return failure(op, string(id), runtime.ErrConflict, fmt.Errorf("the container is %s", found.State.Status))
	}
	if err := e.api.ContainerStart(ctx, string(id), container.StartOptions{}); err != nil {
		return fault(ctx, op, string(id), err)
	}
	return nil
}

// Stop implements runtime.Runtime.
func (r *Runtime) Stop(ctx context.Context, id runtime.ID, grace time.Duration) error {
	const op = "stop"
	e, err := r.current(ctx)
	if err != nil {
		return fault(ctx, op, string(id), err)
	}
	if !validID(id) {
		return nil
	}
	seconds := wholeSeconds(grace)
	err = fault(ctx, op, string(id), e.api.ContainerStop(ctx, string(id), container.StopOptions{Timeout: &seconds}))
	switch {
	case errors.Is(err, runtime.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return fault(ctx, op, string(id), e.awaitListed(ctx, id))
}

// awaitListed blocks until the engine's list says, too, that a container does not
// run. Docker 26 lists a container as running for some milliseconds after its stop,
// while its inspection says that it has ended.
func (e *engine) awaitListed(ctx context.Context, id runtime.ID) error {
	const (
		pause    = 5 * time.Millisecond
		attempts = 400
	)
	for range attempts {
		listed, err := e.api.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(
			filters.Arg("id", string(id)), filters.Arg("status", container.StateRunning))})
		if err != nil || len(listed) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return nil // Its list is wrong for good: that is seen by others.
}

// wholeSeconds rounds up, as the engine knows whole seconds only; a negative
// grace, which to the engine means for ever, is none.
func wholeSeconds(grace time.Duration) int {
	return int((max(grace, 0) + time.Second - 1) / time.Second)
}

// Remove implements runtime.Runtime. It takes anonymous volumes along, which
// an image may have asked for; they belong to nobody else.
func (r *Runtime) Remove(ctx context.Context, id runtime.ID) error {
	const op = "remove"
	e, err := r.current(ctx)
	if err != nil {
		return fault(ctx, op, string(id), err)
	}
	if !validID(id) {
		return nil
	}
	// While another request removes it, the engine says conflict, and its name is
	// not free yet.
	const (
		pause    = 20 * time.Millisecond
		attempts = 1500
	)
	for range attempts {
		err = fault(ctx, op, string(id), e.api.ContainerRemove(ctx, string(id),
			container.RemoveOptions{Force: true, RemoveVolumes: true}))
		switch {
		case errors.Is(err, runtime.ErrNotFound):
			return nil
		case !errors.Is(err, runtime.ErrConflict):
			return err
		}
		select {
		case <-ctx.Done():
			return fault(ctx, op, string(id), ctx.Err())
		case <-time.After(pause):
		}
	}
	return failure(op, string(id), runtime.ErrInternal, fmt.Errorf("another removal does not end: %w", errors.Unwrap(err)))
}
