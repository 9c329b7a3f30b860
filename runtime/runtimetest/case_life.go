package runtimetest

import (
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func infoCases() []testCase {
	return []testCase{
		{"ping tells who the engine is", func(t *testing.T, s *scope) {
			info, err := s.rt.Ping(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range map[string]string{
				"Backend": info.Backend, "Host": info.Host, "Version": info.Version, "APIVersion": info.APIVersion,
			} {
				if value == "" {
					t.Errorf("Info.%s is empty", name)
				}
			}
			if v := info.CgroupVersion; v < 0 || v > 2 {
				t.Errorf("Info.CgroupVersion is %d", v)
			}
		}},
	}
}

func lifeCases() []testCase {
	return []testCase{
		{"a container's life", testLife},
		{"create does not start", func(t *testing.T, s *scope) {
			c := s.inspect(t, s.create(t, s.spec(t)))
			if c.State != runtime.StateCreated {
				t.Errorf("state is %q, want %q", c.State, runtime.StateCreated)
			}
			if !c.StartedAt.IsZero() || !c.FinishedAt.IsZero() {
				t.Errorf("started at %v and finished at %v, want neither", c.StartedAt, c.FinishedAt)
			}
		}},
		{"starting a running container changes nothing", func(t *testing.T, s *scope) {
			id := s.start(t, s.spec(t))
			before := s.inspect(t, id)
			if err := s.rt.Start(t.Context(), id); err != nil {
				t.Fatalf("second start: %v", err)
			}
			if after := s.inspect(t, id); !after.StartedAt.Equal(before.StartedAt) {
				t.Errorf("started at %v, then at %v", before.StartedAt, after.StartedAt)
			}
		}},
		{"a container that has been stopped does not start again", func(t *testing.T, s *scope) {
			id := s.start(t, s.spec(t))
			if err := s.rt.Stop(t.Context(), id, time.Second); err != nil {
				t.Fatal(err)
			}
			s.want(t, s.rt.Start(t.Context(), id), "start", runtime.ErrConflict)
		}},
		{"a container that has ended does not start again", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			spec.Env[app.EnvMode] = app.ModeExit
			id := s.start(t, spec)
			s.awaitExit(t, id)
			s.want(t, s.rt.Start(t.Context(), id), "start", runtime.ErrConflict)
		}},
		{"the exit code of a program that ends by itself", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			spec.Env[app.EnvMode], spec.Env[app.EnvCode] = app.ModeExit, "7"
			c := s.awaitExit(t, s.start(t, spec))
			if c.ExitCode != 7 || c.OOMKilled {
				t.Errorf("exit code %d, OOM %t, want 7, false", c.ExitCode, c.OOMKilled)
			}
			if c.FinishedAt.IsZero() || c.FinishedAt.Before(c.StartedAt) {
				t.Errorf("started at %v, finished at %v", c.StartedAt, c.FinishedAt)
			}
		}},
		{"the exit code of a program that ends later", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort))
			p.exit(t, 42)
			if c := s.awaitExit(t, p.id); c.ExitCode != 42 {
				t.Errorf("exit code %d, want 42", c.ExitCode)
			}
		}},
		{"remove of a running container", func(t *testing.T, s *scope) {
			id := s.start(t, s.spec(t))
			s.remove(t, id)
			_, err := s.rt.Inspect(t.Context(), id)
			s.want(t, err, "inspect", runtime.ErrNotFound)
		}},
		{"a container that ended stays until it is removed", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			spec.Env[app.EnvMode] = app.ModeExit
			id := s.start(t, spec)
			s.awaitExit(t, id)
			found := s.list(t, spec.Labels)
			if len(found) != 1 || found[0].ID != id || found[0].State != runtime.StateExited {
				t.Errorf("list gives %+v, want the exited container", found)
			}
		}},
	}
}

func testLife(t *testing.T, s *scope) {
	ctx := t.Context()
	spec := s.spec(t, app.HTTPPort)

	id := s.create(t, spec)
	created := s.inspect(t, id)
	check := func(c runtime.Container, state runtime.State) {
		t.Helper()
		if c.ID != id || c.Name != spec.Name || c.Image != spec.Image {
			t.Errorf("id %q, name %q, image %q, want %q, %q, %q", c.ID, c.Name, c.Image, id, spec.Name, spec.Image)
		}
		if c.State != state {
			t.Errorf("state is %q, want %q", c.State, state)
		}
		if c.CreatedAt.IsZero() {
			t.Error("CreatedAt is zero")
		}
	}
	// Engines tell the creation with different precision in List and Inspect.
	check(created, runtime.StateCreated)

	if err := s.rt.Start(ctx, id); err != nil {
		t.Fatalf("start: %v", err)
	}
	running := s.inspect(t, id)
	check(running, runtime.StateRunning)
	if running.StartedAt.IsZero() || running.StartedAt.Before(running.CreatedAt) {
		t.Errorf("created at %v, started at %v", running.CreatedAt, running.StartedAt)
	}
	if !running.FinishedAt.IsZero() {
		t.Errorf("runs, but finished at %v", running.FinishedAt)
	}
	if len(running.Ports) != 1 || running.Ports[0] != spec.Ports[0] {
		t.Errorf("ports are %v, want %v", running.Ports, spec.Ports)
	}
	listed := s.list(t, spec.Labels)
	if len(listed) != 1 {
		t.Fatalf("list gives %d containers, want 1", len(listed))
	}
	check(listed[0], runtime.StateRunning)

	(&probe{rt: s.rt, id: id}).await(t)
	if err := s.rt.Stop(ctx, id, patience); err != nil {
		t.Fatalf("stop: %v", err)
	}
	exited := s.inspect(t, id)
	check(exited, runtime.StateExited)
	if exited.ExitCode != 0 || exited.OOMKilled {
		t.Errorf("exit code %d, OOM %t, want 0, false", exited.ExitCode, exited.OOMKilled)
	}
	if exited.FinishedAt.IsZero() || exited.FinishedAt.Before(exited.StartedAt) {
		t.Errorf("started at %v, finished at %v", exited.StartedAt, exited.FinishedAt)
	}
	if exited.Address.IsValid() {
		t.Errorf("does not run, but has the address %v", exited.Address)
	}

	if err := s.rt.Remove(ctx, id); err != nil {
		t.Fatalf("remove: %v", err)
	}
	if left := s.list(t, spec.Labels); len(left) != 0 {
		t.Errorf("removed, but listed: %+v", left)
	}
	_, err := s.rt.Inspect(ctx, id)
	s.want(t, err, "inspect", runtime.ErrNotFound)
}
