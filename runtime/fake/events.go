package fake

import (
	"context"
	"errors"
	"sync"

	"sage/runtime"
)

// watch is somebody who listens to events.
type watch struct {
	selector runtime.Selector
	// news has a token when there is something in queue, or the end.
	news chan struct{}

	mu    sync.Mutex
	queue []runtime.Event
	ended bool
}

// Events implements runtime.Runtime. The engine does not wait for notify, which
// may call it; faults of the operation are those of opening a stream.
func (r *Runtime) Events(ctx context.Context, selector runtime.Selector, notify func(runtime.Event)) error {
	if err := r.enter(ctx, OpEvents, ""); err != nil {
		return err
	}
	if selector.Empty() {
		return fail(OpEvents, "", runtime.ErrInvalid, errors.New("the selector is empty"))
	}
	w := &watch{selector: selector, news: make(chan struct{}, 1)}
	r.mu.Lock()
	r.watches[w] = struct{}{}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watches, w)
	}()
	// Who was away by now has ended the streams that were there.
	if r.faults.away() {
		return away(OpEvents, "")
	}
	notify(runtime.Event{Kind: runtime.EventListening})
	for {
		select {
		case <-w.news:
		case <-ctx.Done():
			return canceled(ctx, OpEvents, "")
		}
		events, ended := w.take()
		for _, e := range events {
			if ctx.Err() != nil {
				return canceled(ctx, OpEvents, "")
			}
			notify(e)
		}
		if ended {
			return fail(OpEvents, "", runtime.ErrUnavailable, errors.New("the stream has ended"))
		}
	}
}

func (w *watch) take() (events []runtime.Event, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events, w.queue = w.queue, nil
	return events, w.ended
}

func (w *watch) change(change func()) {
	w.mu.Lock()
	change()
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default: // There is a token already.
	}
}

// tell queues an event about a container for those who listen. The lock is held.
func (r *Runtime) tell(kind runtime.EventKind, c *container) {
	for w := range r.watches {
		if w.selector.Matches(c.spec.Name, c.spec.Labels) {
			w.change(func() {
				w.queue = append(w.queue, runtime.Event{Kind: kind, ID: c.id, Name: c.spec.Name})
			})
		}
	}
}

// EndEvents lets every stream of events that is open end, as engines do at times.
func (r *Runtime) EndEvents() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.watches {
		w.change(func() { w.ended = true })
	}
}
