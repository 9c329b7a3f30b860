package runtimetest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

// method is one call of the contract, with arguments for which it would succeed.
type method struct {
	op   string
	call func(ctx context.Context) error
}

// methods are all calls that take a context, on a running container and another
// that has not started.
func methods(t *testing.T, s *scope, running, created runtime.ID) []method {
	spec := s.spec(t)
	return []method{
		{"ping", func(ctx context.Context) error { _, err := s.rt.Ping(ctx); return err }},
		{"ensureimage", func(ctx context.Context) error {
			return s.rt.EnsureImage(ctx, runtime.ImageRequest{Ref: s.image}, nil)
		}},
		{"image", func(ctx context.Context) error { _, err := s.rt.Image(ctx, s.image); return err }},
		{"create", func(ctx context.Context) error { _, err := s.rt.Create(ctx, spec); return err }},
		{"start", func(ctx context.Context) error { return s.rt.Start(ctx, created) }},
		{"inspect", func(ctx context.Context) error { _, err := s.rt.Inspect(ctx, running); return err }},
		{"list", func(ctx context.Context) error {
			_, err := s.rt.List(ctx, runtime.Selector{Labels: spec.Labels})
			return err
		}},
		{"stats", func(ctx context.Context) error { _, err := s.rt.Stats(ctx, running); return err }},
		{"logs", func(ctx context.Context) error { _, err := s.rt.Logs(ctx, running, 10); return err }},
		{"followlogs", func(ctx context.Context) error { return s.rt.FollowLogs(ctx, running, 10, io.Discard) }},
		{"route", func(ctx context.Context) error {
			_, err := s.rt.Route(ctx, running, app.HTTPPort)
			return err
		}},
		{"dial", func(ctx context.Context) error {
			conn, err := s.rt.Dial(ctx, running, app.HTTPPort)
			if err == nil {
				conn.Close()
			}
			return err
		}},
		{"volume", func(ctx context.Context) error { _, err := s.rt.Volume(ctx, spec.Name); return err }},
		{"ensurevolume", func(ctx context.Context) error {
			_, err := s.rt.EnsureVolume(ctx, spec.Name, nil)
			return err
		}},
		{"removevolume", func(ctx context.Context) error { return s.rt.RemoveVolume(ctx, spec.Name) }},
		{"stop", func(ctx context.Context) error { return s.rt.Stop(ctx, running, time.Second) }},
		{"remove", func(ctx context.Context) error { return s.rt.Remove(ctx, running) }},
	}
}

func contextCases() []testCase {
	return []testCase{
		{"a canceled context ends every call", func(t *testing.T, s *scope) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			testEnded(ctx, t, s, context.Canceled)
		}},
		{"a passed deadline ends every call", func(t *testing.T, s *scope) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
			defer cancel()
			testEnded(ctx, t, s, context.DeadlineExceeded)
		}},
		{"a context that ends meanwhile ends the call", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Env[app.EnvMode] = app.ModeStubborn
			p := s.run(t, spec)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			// The watch is shorter than the grace, so it tells a call that waits for
			// the container from one that heeds its context.
			const grace = 20 * time.Second
			err := inTime(t, "stop", grace/2, func() error { return s.rt.Stop(ctx, p.id, grace) })
			s.want(t, err, "stop", runtime.ErrCanceled)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("stop gave %v, want the context's error", err)
			}
			// Whatever became of it, a fresh remove works while it still waits.
			err = inTime(t, "remove", grace/2, func() error { return s.rt.Remove(t.Context(), p.id) })
			if err != nil {
				t.Errorf("remove: %v", err)
			}
		}},
		{"the life of a container does not depend on contexts", func(t *testing.T, s *scope) {
			ctx, cancel := context.WithCancel(t.Context())
			id, err := s.rt.Create(ctx, s.spec(t, app.HTTPPort))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.rt.Start(ctx, id); err != nil {
				t.Fatal(err)
			}
			cancel()
			(&probe{rt: s.rt, id: id}).await(t)
		}},
	}
}

func testEnded(ctx context.Context, t *testing.T, s *scope, cause error) {
	t.Helper()
	p := s.run(t, s.spec(t, app.HTTPPort))
	created := s.create(t, s.spec(t))
	for _, m := range methods(t, s, p.id, created) {
		err := inTime(t, m.op, patience, func() error { return m.call(ctx) })
		if err == nil {
			t.Errorf("%s succeeded", m.op)
			continue
		}
		if !errors.Is(err, cause) || !errors.Is(err, runtime.ErrCanceled) {
			t.Errorf("%s gave %v, want %q and %q", m.op, err, runtime.ErrCanceled, cause)
			continue
		}
		s.wantShape(t, err, m.op)
	}
}
