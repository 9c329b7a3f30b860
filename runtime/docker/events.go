package docker

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"sage/runtime"
)

// Events implements runtime.Runtime.
func (r *Runtime) Events(ctx context.Context, selector runtime.Selector, notify func(runtime.Event)) error {
	const op = "events"
	if selector.Empty() {
		return failure(op, "", runtime.ErrInvalid, errEmptySelector)
	}
	e, err := r.current(ctx)
	if err != nil {
		return fault(ctx, op, "", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // Ends the client's goroutine.
	query := filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)))
	for key, value := range selector.Labels {
		query.Add("label", key+"="+value)
	}
	for _, action := range []events.Action{events.ActionStart, events.ActionDie, events.ActionDestroy} {
		query.Add("event", string(action))
	}
	// The client does not tell when the stream is open; that the engine has answered
	// is the best sign. One that answers with an error ends the stream right after.
	var answered atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	// The engine answers before it listens; what happens in between is asked for.
	now := strconv.FormatInt(time.Now().Unix(), 10)
	messages, ends := e.api.Events(traced, events.ListOptions{Filters: query, Since: now})
	if answered.Load() {
		notify(runtime.Event{Kind: runtime.EventListening})
	}
	for {
		select {
		case m := <-messages:
			name := m.Actor.Attributes["name"]
			if kind := eventKind(m.Action); kind != "" && selector.Matches(name, m.Actor.Attributes) {
				notify(runtime.Event{Kind: kind, ID: runtime.ID(m.Actor.ID), Name: name})
			}
		case err := <-ends:
			if ctx.Err() != nil {
				return fault(ctx, op, "", err)
			}
			return failure(op, "", runtime.ErrUnavailable, fmt.Errorf("%w: %w", errEventsEnded, err))
		}
	}
}

// eventKind translates an engine's word; empty for what is left out.
func eventKind(action events.Action) runtime.EventKind {
	switch action {
	case events.ActionStart:
		return runtime.EventStarted
	case events.ActionDie:
		return runtime.EventExited
	case events.ActionDestroy:
		return runtime.EventRemoved
	default:
		return ""
	}
}
