package runtimetest

import (
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
		if there, err := s.rt.Volume(ctx, name); err != nil || there != want {
			t.Errorf("volume: %t, %v, want %t", there, err, want)
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
