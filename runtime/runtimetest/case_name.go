package runtimetest

import (
	"sync"
	"testing"

	"sage/runtime"
)

func nameCases() []testCase {
	return []testCase{
		{"a name in use is a conflict", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			first := s.create(t, spec)
			_, err := s.rt.Create(t.Context(), spec)
			s.want(t, err, "create", runtime.ErrConflict)
			if found := s.list(t, spec.Labels); len(found) != 1 || found[0].ID != first {
				t.Errorf("list gives %+v, want the first container alone", found)
			}
		}},
		{"a name is free after remove", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			for range 3 {
				s.remove(t, s.start(t, spec))
			}
		}},
		{"of ten creates with one name one succeeds", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			const count = 10
			var group sync.WaitGroup
			errs := make([]error, count)
			for i := range count {
				group.Go(func() { _, errs[i] = s.rt.Create(t.Context(), spec) })
			}
			group.Wait()
			winners := 0
			for _, err := range errs {
				if err == nil {
					winners++
					continue
				}
				s.want(t, err, "create", runtime.ErrConflict)
			}
			if winners != 1 {
				t.Errorf("%d creates succeeded, want 1", winners)
			}
			if found := s.list(t, spec.Labels); len(found) != 1 {
				t.Errorf("there are %d containers, want 1", len(found))
			}
		}},
		{"a malformed name is invalid", func(t *testing.T, s *scope) {
			for _, name := range []string{"-starts-with-a-hyphen", "has space", "has/slash", "ümlaut"} {
				spec := s.spec(t)
				spec.Name = name
				_, err := s.rt.Create(t.Context(), spec)
				s.want(t, err, "create", runtime.ErrInvalid)
			}
		}},
	}
}
