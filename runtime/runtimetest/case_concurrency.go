package runtimetest

import (
	"sync"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func concurrencyCases() []testCase {
	return []testCase{
		{"containers do not wait for each other", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Env[app.EnvMode] = app.ModeStubborn
			p := s.run(t, spec)
			const grace = 30 * time.Second
			stopped := make(chan error, 1)
			go func() { stopped <- s.rt.Stop(t.Context(), p.id, grace) }()

			other := s.run(t, s.spec(t, app.HTTPPort))
			if err := s.rt.Stop(t.Context(), other.id, grace); err != nil {
				t.Error(err)
			}
			s.remove(t, other.id)
			select {
			case err := <-stopped:
				t.Errorf("another container's whole life waited for a stop: %v", err)
				return
			default:
			}
			// Remove does not wait for the grace of somebody's Stop either.
			s.remove(t, p.id)
			if err := inTime(t, "stop of a removed container", grace/2, func() error { return <-stopped }); err != nil {
				t.Errorf("stop of a container that was removed meanwhile: %v", err)
			}
		}},
		{"removes of one container at the same time succeed", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			id := s.start(t, spec)
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					if err := s.rt.Remove(t.Context(), id); err != nil {
						t.Errorf("remove: %v", err)
						return
					}
					if _, err := s.rt.Inspect(t.Context(), id); err == nil {
						t.Error("removed, but there")
					}
				})
			}
			group.Wait()
			s.create(t, spec)
		}},
		{"stops of one container at the same time succeed", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort))
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					if err := s.rt.Stop(t.Context(), p.id, patience); err != nil {
						t.Errorf("stop: %v", err)
						return
					}
					c, err := s.rt.Inspect(t.Context(), p.id)
					if err != nil || c.State != runtime.StateExited {
						t.Errorf("after stop: state %q, %v", c.State, err)
					}
				})
			}
			group.Wait()
		}},
		{"starts of one container at the same time succeed", func(t *testing.T, s *scope) {
			id := s.create(t, s.spec(t, app.HTTPPort))
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					if err := s.rt.Start(t.Context(), id); err != nil {
						t.Errorf("start: %v", err)
					}
				})
			}
			group.Wait()
			(&probe{rt: s.rt, id: id}).await(t)
		}},
		{"list while containers come and go", func(t *testing.T, s *scope) {
			stays := s.create(t, s.spec(t))
			spec := s.spec(t)
			done := make(chan struct{})
			var group sync.WaitGroup
			group.Go(func() {
				defer close(done)
				for range 5 {
					id, err := s.rt.Create(t.Context(), spec)
					if err == nil {
						err = s.rt.Remove(t.Context(), id)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
			for open := true; open; {
				select {
				case <-done:
					open = false
				default:
				}
				found, err := s.rt.List(t.Context(), runtime.Selector{Labels: map[string]string{LabelTest: s.unique}})
				if err != nil {
					t.Fatalf("list: %v", err)
				}
				seen := false
				for _, c := range found {
					seen = seen || c.ID == stays
				}
				if !seen {
					t.Error("a container that stays is not listed")
				}
			}
			group.Wait()
		}},
	}
}
