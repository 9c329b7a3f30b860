package fake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sage/runtime"
	"sage/runtime/fake"
	"sage/runtime/runtimetest"
	"sage/runtime/runtimetest/testapp/app"
)

func TestConformance(t *testing.T) {
	cases := []struct {
		name    string
		options fake.Options
	}{
		{"container address", fake.Options{Capabilities: runtime.Capabilities{ContainerAddress: true}}},
		{"stats", fake.Options{Capabilities: runtime.Capabilities{Stats: true}}},
		{"published ports", fake.Options{}},
		{"early port reservation", fake.Options{ReservesPorts: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.options.Images = map[string]fake.Image{imageRef: {
				Program: testapp,
				Env:     map[string]string{"TESTAPP_IMAGE": "yes"},
				Files:   map[string][]byte{runtimetest.SeedPath: []byte(runtimetest.SeedText)},
			}}
			c.options.Build = build
			rt := fake.New(c.options)
			runtimetest.Run(t, runtimetest.Harness{
				New:       func(*testing.T) runtime.Runtime { return rt },
				Image:     imageRef,
				Network:   fake.Network,
				InProcess: true,
				Host:      rt.Host(),
			})
		})
	}
}

const imageRef = "localhost/sage/testapp:latest"

// testapp runs the suite's program inside of this process.
func testapp(ctx context.Context, p *fake.Process) int {
	return app.Run(ctx, system{p})
}

// system is a fake container as the test program sees it; there is no kernel
// behind it that could tell more.
type system struct{ *fake.Process }

func (system) Limits() app.Limits                  { return app.Limits{} }
func (system) Privileges() (app.Privileges, error) { return app.Privileges{}, nil }

// build understands as much of a Containerfile as the suite writes: it wants
// copied files to be there, and its programs cannot be executed.
func build(_ context.Context, req runtime.ImageRequest, log func(string)) (fake.Image, error) {
	dir := req.Build.ContextDir
	text, err := os.ReadFile(filepath.Join(dir, req.Build.Containerfile))
	if err != nil {
		return fake.Image{}, fmt.Errorf("%w: %w", runtime.ErrInvalid, err)
	}
	for line := range strings.Lines(string(text)) {
		log(strings.TrimSuffix(line, "\n"))
		words := strings.Fields(os.Expand(line, func(name string) string { return req.Build.Args[name] }))
		if len(words) < 3 || words[0] != "COPY" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, words[1])); err != nil {
			return fake.Image{}, err
		}
	}
	return fake.Image{}, nil
}
