package podman

import (
	"context"
	"time"

	"github.com/containers/podman/v5/libpod/events"
	"github.com/containers/podman/v5/pkg/bindings/system"
	"github.com/containers/podman/v5/pkg/domain/entities/types"

	"sage/runtime"
)

// lookBack covers the moment between the engine's answer and its first look at its
// log. It counts by the engine's own clock.
const lookBack = "5s"

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
	ctx = joined{Context: ctx, values: l.values}
	stream, err := openEvents(ctx, lookBack)
	if err == nil {
		notify(runtime.Event{Kind: runtime.EventListening})
	}
	for err == nil {
		var latest int64
		for e := range stream {
			latest = e.TimeNano
			name := e.Actor.Attributes["name"]
			kind := eventKind(string(e.Action))
			if kind != "" && ctx.Err() == nil && selector.Matches(name, e.Actor.Attributes) {
				notify(runtime.Event{Kind: kind, ID: runtime.ID(e.Actor.ID), Name: name})
			}
		}
		err = errEventsEnded
		// An engine ends its streams when it makes its log of events shorter, after each megabyte (seen with 4.3). What comes
		// behind the last event is still in there. A stream that told nothing is the caller's to open again.
		if latest != 0 && ctx.Err() == nil {
			stream, err = openEvents(ctx, time.Unix(0, latest).UTC().Format(time.RFC3339Nano))
		}
	}
	if ctx.Err() != nil {
		return fault(ctx, op, "", err)
	}
	return failure(op, "", runtime.ErrUnavailable, err)
}

// openEvents gives the stream of events since a moment, a time or how long ago it
// was, once the engine has answered; it is closed when the engine ends it or ctx
// does. The bindings send from a goroutine of their own, which ends only if all is
// received.
func openEvents(ctx context.Context, since string) (<-chan types.Event, error) {
	options := new(system.EventsOptions).WithSince(since).WithStream(true).WithFilters(map[string][]string{
		"type":  {string(events.Container)},
		"event": {string(events.Start), string(events.Exited), string(events.Remove)},
	})
	stream := make(chan types.Event)
	return stream, system.Events(ctx, stream, nil, options)
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
