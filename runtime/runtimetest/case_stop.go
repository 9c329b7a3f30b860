package runtimetest

import (
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

// killed is the exit code of a program ended by SIGKILL.
const killed = 128 + 9

func stopCases() []testCase {
	stubborn := func(t *testing.T, s *scope) *probe {
		spec := s.spec(t, app.HTTPPort)
		spec.Env[app.EnvMode] = app.ModeStubborn
		return s.run(t, spec)
	}
	return []testCase{
		{"stop and remove twice succeed", func(t *testing.T, s *scope) {
			id := s.start(t, s.spec(t))
			for range 2 {
				if err := s.rt.Stop(t.Context(), id, time.Second); err != nil {
					t.Errorf("stop: %v", err)
				}
			}
			for range 2 {
				if err := s.rt.Remove(t.Context(), id); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
			if err := s.rt.Stop(t.Context(), id, time.Second); err != nil {
				t.Errorf("stop after remove: %v", err)
			}
		}},
		{"stop of a created container succeeds", func(t *testing.T, s *scope) {
			id := s.create(t, s.spec(t))
			if err := s.rt.Stop(t.Context(), id, time.Second); err != nil {
				t.Errorf("stop: %v", err)
			}
			if err := s.rt.Remove(t.Context(), id); err != nil {
				t.Errorf("remove: %v", err)
			}
		}},
		{"stop asks before it kills", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort))
			// A part of a second is rounded up: cut to nothing it would kill at once.
			if err := s.rt.Stop(t.Context(), p.id, 200*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			c := s.inspect(t, p.id)
			if c.State != runtime.StateExited || c.ExitCode != 0 {
				t.Errorf("state %q, exit code %d, want %q, 0", c.State, c.ExitCode, runtime.StateExited)
			}
		}},
		{"stop kills a stubborn program after the grace", func(t *testing.T, s *scope) {
			p := stubborn(t, s)
			if err := s.rt.Stop(t.Context(), p.id, time.Second); err != nil {
				t.Fatal(err)
			}
			c := s.inspect(t, p.id)
			if c.State != runtime.StateExited || c.ExitCode != killed || c.OOMKilled {
				t.Errorf("state %q, exit code %d, OOM %t, want %q, %d, false",
					c.State, c.ExitCode, c.OOMKilled, runtime.StateExited, killed)
			}
		}},
		{"stop without grace kills", func(t *testing.T, s *scope) {
			p := stubborn(t, s)
			if err := s.rt.Stop(t.Context(), p.id, 0); err != nil {
				t.Fatal(err)
			}
			if c := s.inspect(t, p.id); c.State != runtime.StateExited || c.ExitCode != killed {
				t.Errorf("state %q, exit code %d, want %q, %d", c.State, c.ExitCode, runtime.StateExited, killed)
			}
		}},
		{"remove kills a stubborn program", func(t *testing.T, s *scope) {
			p := stubborn(t, s)
			s.remove(t, p.id)
			_, err := s.rt.Inspect(t.Context(), p.id)
			s.want(t, err, "inspect", runtime.ErrNotFound)
		}},
	}
}

// unknownCases are about containers that nobody made.
func unknownCases() []testCase {
	// Engines take a full identifier for what it is and look for short ones
	// among names, so both are tried.
	ids := []runtime.ID{
		"00000000000000000000000000000000000000000000000000000000deadbeef",
		"sage-test-nobody-made-this",
	}
	return []testCase{
		{"unknown containers", func(t *testing.T, s *scope) {
			ctx := t.Context()
			for _, id := range ids {
				s.want(t, s.rt.Start(ctx, id), "start", runtime.ErrNotFound)
				_, err := s.rt.Inspect(ctx, id)
				s.want(t, err, "inspect", runtime.ErrNotFound)
				_, err = s.rt.Logs(ctx, id, 10)
				s.want(t, err, "logs", runtime.ErrNotFound)
				_, err = s.rt.Stats(ctx, id)
				if s.info.Capabilities.Stats {
					s.want(t, err, "stats", runtime.ErrNotFound)
				} else {
					s.want(t, err, "stats", runtime.ErrUnsupported)
				}
				conn, err := s.rt.Dial(ctx, id, app.HTTPPort)
				if err == nil {
					conn.Close()
				}
				s.want(t, err, "dial", runtime.ErrNotFound)
				_, err = s.rt.Route(ctx, id, app.HTTPPort)
				s.want(t, err, "route", runtime.ErrNotFound)
				if err := s.rt.Stop(ctx, id, time.Second); err != nil {
					t.Errorf("stop: %v", err)
				}
				if err := s.rt.Remove(ctx, id); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
		}},
		{"unknown volumes", func(t *testing.T, s *scope) {
			name := "sage-test-" + s.unique + "-nowhere"
			_, err := s.rt.Volume(t.Context(), name)
			s.want(t, err, "volume", runtime.ErrNotFound)
			for _, bad := range []string{"", "a/b", "-a"} {
				_, err := s.rt.Volume(t.Context(), bad)
				s.want(t, err, "volume", runtime.ErrNotFound)
				_, err = s.rt.EnsureVolume(t.Context(), bad, nil)
				s.want(t, err, "ensurevolume", runtime.ErrInvalid)
			}
			if err := s.rt.RemoveVolume(t.Context(), name); err != nil {
				t.Errorf("removevolume: %v", err)
			}
		}},
	}
}
