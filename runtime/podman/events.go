package podman

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/containers/podman/v5/libpod/events"
	"github.com/containers/podman/v5/pkg/bindings/system"
	"github.com/containers/podman/v5/pkg/domain/entities/types"

	"sage/runtime"
)

// Events implements runtime.Runtime.
func (r *Runtime) Events(ctx context.Context, selector runtime.Selector, notify func(runtime.Event)) error {
	const op = "events"
	if selector.Empty() {
		return failure(op, "", runtime.ErrInvalid, errEmptySelector)
	}
	l, err := call(ctx, r, op, "", func(ctx context.Context, l *link) (*link, error) { return l, l.ping(ctx) })
	if err != nil {
		return err
	}
	// The engine does not answer before the first event. What happens from here on
	// is asked for, so nothing is missed by then.
	from := strconv.FormatInt(time.Now().Unix(), 10)
	notify(runtime.Event{Kind: runtime.EventListening})
	err = follow(joined{Context: ctx, values: l.values}, from, func(e types.Event) {
		name := e.Actor.Attributes["name"]
		if kind := eventKind(string(e.Action)); kind != "" && selector.Matches(name, e.Actor.Attributes) {
			notify(runtime.Event{Kind: kind, ID: runtime.ID(e.Actor.ID), Name: name})
		}
	})
	if ctx.Err() == nil {
		err = failure(op, "", runtime.ErrUnavailable, errors.Join(errEventsEnded, err))
	}
	return fault(ctx, op, "", err)
}

// follow calls heed for every event until the stream or ctx ends. The bindings
// send from a goroutine of their own, which has ended when it returns.
func follow(ctx context.Context, from string, heed func(types.Event)) error {
	options := new(system.EventsOptions).WithSince(from).WithStream(true).WithFilters(map[string][]string{
		"type":  {string(events.Container)},
		"event": {string(events.Start), string(events.Exited), string(events.Remove)},
	})
	stream := make(chan types.Event)
	opened := make(chan error, 1)
	go func() { opened <- system.Events(ctx, stream, nil, options) }()
	for {
		select {
		case err := <-opened:
			if err != nil {
				return err // Nobody sends.
			}
			opened = nil
		case e, ok := <-stream:
			if !ok {
				return nil
			}
			if ctx.Err() == nil {
				heed(e)
			}
		}
	}
}

// eventKind translates an engine's word; empty for what is left out.
func eventKind(action string) runtime.EventKind {
	switch events.Status(action) {
	case events.Start:
		return runtime.EventStarted
	case events.Exited:
		return runtime.EventExited
	case events.Remove:
		return runtime.EventRemoved
	default:
		return ""
	}
}
