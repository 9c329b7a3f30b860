package runtimetest

import (
	"errors"
	"maps"
	"strconv"
	"sync"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func volumeCases() []testCase {
	return []testCase{
		{"a volume is made by create and outlives containers", testVolume},
		{"an empty volume is filled from the image", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Volumes = []runtime.VolumeMount{{Volume: s.volume(t), Path: HomePath}}
			p := s.run(t, spec)
			if got := p.read(t, SeedPath); got != SeedText {
				t.Errorf("%s holds %q, want %q", SeedPath, got, SeedText)
			}
			if !p.write(t, HomePath+"/new", "x") {
				t.Error("the volume does not belong to the image's user")
			}
		}},
		{"a volume keeps the labels that it was made with", func(t *testing.T, s *scope) {
			name := s.volume(t)
			want := map[string]string{"io.sage.test.owner": "one", "io.sage.test.odd": oddLabels()["io.sage.test.quotes"]}
			for _, labels := range []map[string]string{want, {"io.sage.test.owner": "two"}, nil} {
				v, err := s.rt.EnsureVolume(t.Context(), name, labels)
				if err != nil || v.Name != name || !maps.Equal(v.Labels, want) {
					t.Errorf("ensurevolume: %+v, %v, want %v", v, err, want)
				}
			}
			spec := s.spec(t)
			spec.Volumes = []runtime.VolumeMount{{Volume: name, Path: HomePath}}
			s.remove(t, s.start(t, spec))
			if v, err := s.rt.Volume(t.Context(), name); err != nil || v.Name != name || !maps.Equal(v.Labels, want) {
				t.Errorf("volume: %+v, %v, want %v", v, err, want)
			}
		}},
		{"of several makers of a volume one succeeds", func(t *testing.T, s *scope) {
			name := s.volume(t)
			const makers = 8
			var seen [makers]string
			var all sync.WaitGroup
			for i := range makers {
				all.Go(func() {
					v, err := s.rt.EnsureVolume(t.Context(), name, map[string]string{"io.sage.test.maker": strconv.Itoa(i)})
					if err != nil {
						t.Errorf("ensurevolume: %v", err)
					}
					seen[i] = v.Labels["io.sage.test.maker"]
				})
			}
			all.Wait()
			for _, maker := range seen {
				if maker != seen[0] || maker == "" {
					t.Fatalf("the makers saw the volume of %q", seen)
				}
			}
		}},
		{"a volume that was made before is filled from the image", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			name := s.volume(t)
			if _, err := s.rt.EnsureVolume(t.Context(), name, nil); err != nil {
				t.Fatal(err)
			}
			spec.Volumes = []runtime.VolumeMount{{Volume: name, Path: HomePath}}
			p := s.run(t, spec)
			if got := p.read(t, SeedPath); got != SeedText {
				t.Errorf("%s holds %q, want %q", SeedPath, got, SeedText)
			}
			if !p.write(t, HomePath+"/new", "x") {
				t.Error("the volume does not belong to the image's user")
			}
		}},
		{"a used volume cannot be removed", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			name := s.volume(t)
			spec.Volumes = []runtime.VolumeMount{{Volume: name, Path: HomePath}}
			id := s.start(t, spec)
			s.want(t, s.rt.RemoveVolume(t.Context(), name), "removevolume", runtime.ErrConflict)
			if err := s.rt.Stop(t.Context(), id, 0); err != nil {
				t.Fatal(err)
			}
			s.want(t, s.rt.RemoveVolume(t.Context(), name), "removevolume", runtime.ErrConflict)
			s.remove(t, id)
			for range 2 {
				if err := s.rt.RemoveVolume(t.Context(), name); err != nil {
					t.Errorf("removevolume: %v", err)
				}
			}
		}},
	}
}

func testVolume(t *testing.T, s *scope) {
	ctx := t.Context()
	spec := s.spec(t, app.HTTPPort)
	name := s.volume(t)
	spec.Volumes = []runtime.VolumeMount{{Volume: name, Path: HomePath}}
	exists := func(want bool) {
		t.Helper()
		if _, err := s.rt.Volume(ctx, name); (err == nil) != want || err != nil && !errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("volume: %v, want %t", err, want)
		}
	}
	exists(false)
	id := s.create(t, spec)
	exists(true)
	if err := s.rt.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	p := &probe{rt: s.rt, id: id}
	p.await(t)
	const path, text = HomePath + "/profile", "kept"
	if !p.write(t, path, text) {
		t.Fatal("cannot write to the volume")
	}
	s.remove(t, id)
	exists(true)

	p = s.run(t, spec)
	if got := p.read(t, path); got != text {
		t.Errorf("%s holds %q in the next container, want %q", path, got, text)
	}
	s.remove(t, p.id)
	if err := s.rt.RemoveVolume(ctx, name); err != nil {
		t.Fatalf("removevolume: %v", err)
	}
	exists(false)

	p = s.run(t, spec)
	if _, err := p.do(ctx, "GET", "/read?path="+path, nil); err == nil {
		t.Error("a file came back from a removed volume")
	}
}
