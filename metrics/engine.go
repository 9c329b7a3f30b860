package metrics

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"sage/runtime"
)

// Runtime is rt with its calls counted.
func (m *Metrics) Runtime(rt runtime.Runtime) runtime.Runtime { return &engine{rt, m} }

// engine counts calls; Close is none.
type engine struct {
	runtime.Runtime
	m *Metrics
}

// count takes down a call that began at a time and ended with err.
func (e *engine) count(op string, began time.Time, err error) {
	e.m.engineTime.WithLabelValues(op).Observe(time.Since(began).Seconds())
	e.m.engineCalls.WithLabelValues(op, result(err)).Inc()
}

// result names the kind of an error, from the closed list of the contract.
func result(err error) string {
	if err == nil {
		return "ok"
	}
	for _, k := range []struct {
		kind error
		name string
	}{
		{runtime.ErrNotFound, "not_found"}, {runtime.ErrImageNotFound, "image_not_found"}, {runtime.ErrConflict, "conflict"},
		{runtime.ErrPortInUse, "port_in_use"}, {runtime.ErrInvalid, "invalid"}, {runtime.ErrUnavailable, "unavailable"},
		{runtime.ErrExhausted, "exhausted"}, {runtime.ErrUnsupported, "unsupported"}, {runtime.ErrRefused, "refused"},
		{runtime.ErrCanceled, "canceled"},
	} {
		if errors.Is(err, k.kind) {
			return k.name
		}
	}
	return "internal"
}

// one measures a call that gives one value.
func one[T any](e *engine, op string, call func() (T, error)) (T, error) {
	began := time.Now()
	v, err := call()
	e.count(op, began, err)
	return v, err
}

// none measures a call that gives nothing.
func none(e *engine, op string, call func() error) error {
	began := time.Now()
	err := call()
	e.count(op, began, err)
	return err
}

func (e *engine) Ping(ctx context.Context) (runtime.Info, error) {
	return one(e, "ping", func() (runtime.Info, error) { return e.Runtime.Ping(ctx) })
}

func (e *engine) EnsureImage(ctx context.Context, req runtime.ImageRequest, progress func(runtime.Progress)) error {
	return none(e, "ensureimage", func() error { return e.Runtime.EnsureImage(ctx, req, progress) })
}

func (e *engine) Image(ctx context.Context, ref string) (runtime.Image, error) {
	return one(e, "image", func() (runtime.Image, error) { return e.Runtime.Image(ctx, ref) })
}

func (e *engine) Create(ctx context.Context, spec runtime.Spec) (runtime.ID, error) {
	return one(e, "create", func() (runtime.ID, error) { return e.Runtime.Create(ctx, spec) })
}

func (e *engine) Start(ctx context.Context, id runtime.ID) error {
	return none(e, "start", func() error { return e.Runtime.Start(ctx, id) })
}

func (e *engine) Inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	return one(e, "inspect", func() (runtime.Container, error) { return e.Runtime.Inspect(ctx, id) })
}

func (e *engine) List(ctx context.Context, s runtime.Selector) ([]runtime.Container, error) {
	return one(e, "list", func() ([]runtime.Container, error) { return e.Runtime.List(ctx, s) })
}

// Events is counted when it ends; its time says nothing.
func (e *engine) Events(ctx context.Context, s runtime.Selector, notify func(runtime.Event)) error {
	err := e.Runtime.Events(ctx, s, notify)
	e.m.engineCalls.WithLabelValues("events", result(err)).Inc()
	return err
}

// FollowLogs is counted like Events.
func (e *engine) FollowLogs(ctx context.Context, id runtime.ID, lines int, w io.Writer) error {
	err := e.Runtime.FollowLogs(ctx, id, lines, w)
	e.m.engineCalls.WithLabelValues("followlogs", result(err)).Inc()
	return err
}

func (e *engine) Stop(ctx context.Context, id runtime.ID, grace time.Duration) error {
	return none(e, "stop", func() error { return e.Runtime.Stop(ctx, id, grace) })
}

func (e *engine) Remove(ctx context.Context, id runtime.ID) error {
	return none(e, "remove", func() error { return e.Runtime.Remove(ctx, id) })
}

func (e *engine) Logs(ctx context.Context, id runtime.ID, lines int) ([]byte, error) {
	return one(e, "logs", func() ([]byte, error) { return e.Runtime.Logs(ctx, id, lines) })
}

func (e *engine) Stats(ctx context.Context, id runtime.ID) (runtime.Stats, error) {
	return one(e, "stats", func() (runtime.Stats, error) { return e.Runtime.Stats(ctx, id) })
}

func (e *engine) Dial(ctx context.Context, id runtime.ID, port uint16) (net.Conn, error) {
	return one(e, "dial", func() (net.Conn, error) { return e.Runtime.Dial(ctx, id, port) })
}

// Route is counted when it is found; what is dialled by it is no call.
func (e *engine) Route(ctx context.Context, id runtime.ID, port uint16) (runtime.Route, error) {
	return one(e, "route", func() (runtime.Route, error) { return e.Runtime.Route(ctx, id, port) })
}

func (e *engine) Volume(ctx context.Context, name string) (runtime.Volume, error) {
	return one(e, "volume", func() (runtime.Volume, error) { return e.Runtime.Volume(ctx, name) })
}

func (e *engine) EnsureVolume(ctx context.Context, name string, labels map[string]string) (runtime.Volume, error) {
	return one(e, "ensurevolume", func() (runtime.Volume, error) { return e.Runtime.EnsureVolume(ctx, name, labels) })
}

func (e *engine) RemoveVolume(ctx context.Context, name string) error {
	return none(e, "removevolume", func() error { return e.Runtime.RemoveVolume(ctx, name) })
}
