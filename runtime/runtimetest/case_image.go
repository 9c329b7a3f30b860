package runtimetest

import (
	"strings"
	"testing"

	"sage/runtime"
)

func imageCases() []testCase {
	const absent = "localhost/sage/does-not-exist:1"
	return []testCase{
		{"a missing image", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			spec.Image = absent
			_, err := s.rt.Create(t.Context(), spec)
			s.want(t, err, "create", runtime.ErrImageNotFound)
			_, err = s.rt.Image(t.Context(), absent)
			s.want(t, err, "image", runtime.ErrImageNotFound)
			err = s.rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: absent}, nil)
			s.want(t, err, "ensureimage", runtime.ErrImageNotFound)
			if found := s.list(t, spec.Labels); len(found) != 0 {
				t.Errorf("the refused create left %+v", found)
			}
		}},
		{"an image that is there is not fetched", func(t *testing.T, s *scope) {
			reports := 0
			err := s.rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: s.image}, func(runtime.Progress) { reports++ })
			if err != nil {
				t.Fatal(err)
			}
			if reports != 0 {
				t.Errorf("%d reports of progress, want none", reports)
			}
			if found, err := s.rt.Image(t.Context(), s.image); err != nil || found.ID == "" {
				t.Errorf("image %+v, %v", found, err)
			}
		}},
		{"a malformed reference is invalid", func(t *testing.T, s *scope) {
			err := s.rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: "localhost/Sage/NOT A REFERENCE"}, nil)
			s.want(t, err, "ensureimage", runtime.ErrInvalid)
		}},
		{"an image is built again when its digest changes", testBuildDigest},
		{"build arguments arrive", func(t *testing.T, s *scope) {
			req := buildRequest(t, "build-args", "FROM scratch\nARG FILE=absent\nCOPY ${FILE} /file\n")
			writeFile(t, req.Build.ContextDir, "present", "content")
			req.Build.Args = map[string]string{"FILE": "present"}
			if err := s.rt.EnsureImage(t.Context(), req, nil); err != nil {
				t.Error(err)
			}
		}},
		{"a failing build says why", func(t *testing.T, s *scope) {
			req := buildRequest(t, "build-fails", "FROM scratch\nCOPY no-such-file-anywhere /file\n")
			err := s.rt.EnsureImage(t.Context(), req, nil)
			s.want(t, err, "ensureimage", runtime.ErrImageNotFound)
			if !strings.Contains(err.Error(), "no-such-file-anywhere") {
				t.Errorf("the error does not have the build's words: %v", err)
			}
			_, err = s.rt.Image(t.Context(), req.Ref)
			s.want(t, err, "image", runtime.ErrImageNotFound)
		}},
		{"a build without its file is invalid", func(t *testing.T, s *scope) {
			req := buildRequest(t, "build-invalid", "FROM scratch\n")
			req.Build.Containerfile = "there-is-no-such-containerfile"
			s.want(t, s.rt.EnsureImage(t.Context(), req, nil), "ensureimage", runtime.ErrInvalid)
			req.Build.ContextDir += "/there-is-no-such-directory"
			s.want(t, s.rt.EnsureImage(t.Context(), req, nil), "ensureimage", runtime.ErrInvalid)
		}},
		{"a program that cannot be executed is invalid", func(t *testing.T, s *scope) {
			req := buildRequest(t, "no-program", "FROM scratch\nCOPY file /file\nENTRYPOINT [\"/there-is-no-such-program\"]\n")
			if err := s.rt.EnsureImage(t.Context(), req, nil); err != nil {
				t.Fatal(err)
			}
			spec := s.spec(t)
			spec.Image = req.Ref
			id := s.create(t, spec)
			s.want(t, s.rt.Start(t.Context(), id), "start", runtime.ErrInvalid)
			if c := s.inspect(t, id); c.State == runtime.StateRunning {
				t.Error("the container runs after a failed start")
			}
			s.remove(t, id)
		}},
	}
}

// buildRequest makes an image from a Containerfile beside one small file. The
// reference and what it is made from are the same in every run, so that runs do
// not fill the engine with images.
func buildRequest(t *testing.T, name, containerfile string) runtime.ImageRequest {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, "Containerfile", containerfile)
	writeFile(t, dir, "file", "content")
	return runtime.ImageRequest{Ref: "localhost/sage/test-" + name + ":latest", Build: &runtime.Build{
		ContextDir:    dir,
		Containerfile: "Containerfile",
		Digest:        name,
	}}
}

func testBuildDigest(t *testing.T, s *scope) {
	req := buildRequest(t, "digest", "FROM scratch\nCOPY file /file\n")
	ensure := func(digest string) (built bool, id string) {
		t.Helper()
		req.Build.Digest = digest
		err := s.rt.EnsureImage(t.Context(), req, func(runtime.Progress) { built = true })
		if err != nil {
			t.Fatalf("digest %q: %v", digest, err)
		}
		found, err := s.rt.Image(t.Context(), req.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if got := found.Labels[runtime.LabelBuildDigest]; digest != "" && got != digest {
			t.Errorf("digest %q: the image's label is %q", digest, got)
		}
		return built, found.ID
	}
	// What an earlier run left is not known, so the first time counts for nothing.
	_, one := ensure("one")
	steps := []struct {
		digest string
		built  bool
	}{{"one", false}, {"two", true}, {"two", false}, {"", false}, {"one", true}}
	last := one
	for _, step := range steps {
		built, id := ensure(step.digest)
		if built != step.built {
			t.Errorf("digest %q: built %t, want %t", step.digest, built, step.built)
		}
		if changed := id != last; changed != step.built {
			t.Errorf("digest %q: the image's id changed %t, want %t", step.digest, changed, step.built)
		}
		last = id
	}
}
