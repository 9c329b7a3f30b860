package session_test

import (
	"context"
	"maps"
	"testing"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// TestBaseImageIsTheCatalogs builds an app on another one whose image has a name of its own.
func TestBaseImageIsTheCatalogs(t *testing.T) {
	const base = "registry.example.org/ours/base:7"
	for name, tt := range map[string]struct {
		args, operator map[string]string
		want           map[string]string
	}{
		"no arguments":           {nil, nil, map[string]string{"BASE": base}},
		"others":                 {map[string]string{"A": "1"}, map[string]string{"A": "2"}, map[string]string{"A": "2", "BASE": base}},
		"the catalog's own BASE": {map[string]string{"BASE": "x:1"}, nil, map[string]string{"BASE": "x:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			built := map[string]map[string]string{}
			engine := fake.New(fake.Options{Build: func(_ context.Context, req runtime.ImageRequest, _ func(string)) (fake.Image, error) {
				built[req.Ref] = req.Build.Args
				return fake.Image{}, nil
			}})
			app := catalog.App{ID: "app", Image: "localhost/app:1", Build: &catalog.Build{Context: dir, Containerfile: "Containerfile", From: "below", Args: tt.args}}
			below := catalog.App{ID: "below", Image: base, Build: &catalog.Build{Context: dir, Containerfile: "Containerfile"}}
			apps := &catalog.Catalog{Apps: []catalog.App{app, below}}
			images := session.NewImages(engine, func() *catalog.Catalog { return apps }, tt.operator)
			if err := images.Ensure(t.Context(), &app, nil); err != nil {
				t.Fatal(err)
			}
			if got := built[app.Image]; !maps.Equal(got, tt.want) {
				t.Errorf("build arguments %v, want %v", got, tt.want)
			}
			if got := built[base]; len(got) > 0 {
				t.Errorf("build arguments of the base: %v", got)
			}
		})
	}
}
