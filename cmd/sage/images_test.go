package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vbauerster/mpb/v8"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// threeApps is a catalog of top, built from base, and of pulled. Top stands
// first, so that the order of the file is the wrong one.
func threeApps(t *testing.T) (path string, apps *catalog.Catalog) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"base", "top"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "Containerfile"), []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(dir, "catalog.yaml")
	const text = `version: 1
apps:
  - {id: top, title: Top, image: localhost/t/top:1, build: {context: top, from: base}, aliases: [upper],
     endpoints: [{name: vnc, port: 5900, protocol: rfb}]}
  - {id: pulled, title: Pulled, image: registry.example.org/t/pulled:1, endpoints: [{name: vnc, port: 5900, protocol: rfb}]}
  - {id: base, title: Base, image: localhost/t/base:1, build: {context: base, args: {COLOUR: red}},
     endpoints: [{name: vnc, port: 5900, protocol: rfb}]}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	apps, err := catalog.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, apps
}

func TestChooseApps(t *testing.T) {
	_, apps := threeApps(t)
	for _, tc := range []struct {
		name, names string
		builds      bool
		want, err   string
	}{
		{"all builds", "", true, "base top", ""},
		{"all pulls", "", false, "pulled", ""},
		{"one with its base", "top", true, "base top", ""},
		{"alias, twice", "upper top base", true, "base top", ""},
		{"base alone", "base", true, "base", ""},
		{"unknown", "none", true, "", `app "none" is not in the catalog: it has top, pulled, base`},
		{"build what is pulled", "pulled", true, "", "use sage pull pulled"},
		{"pull what is built", "upper", false, "", "use sage build upper"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chosen, err := chooseApps(apps, strings.Fields(tc.names), tc.builds)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || exitCode(err) != exitUsage {
					t.Errorf("%v, want %q", err, tc.err)
				}
				return
			}
			var ids []string
			for _, app := range chosen {
				ids = append(ids, app.ID)
			}
			if got := strings.Join(ids, " "); got != tc.want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestBuildMistakes(t *testing.T) {
	path, _ := threeApps(t)
	// None of them gets as far as to look for an engine.
	t.Setenv("SAGE_RUNTIME", "none")
	for _, tc := range []struct {
		name, args string
		code       int
		want       string
	}{
		{"unknown app", "build none --catalog " + path, 2, `app "none" is not in the catalog`},
		{"unknown build argument", "build --build-arg COLOR=x --catalog " + path, 2, "build-arg COLOR: no build of the catalog has it; they have: COLOUR"},
		{"bad catalog", "build --catalog ../../catalog/testdata/bad-ten-mistakes.yaml", 2, "known here: apps, version"},
		{"unknown engine", "pull --catalog " + path, 1, `engine "none" is not known`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sage(t, strings.Fields(tc.args)...).want(t, tc.code, "", tc.want)
		})
	}
	t.Run("nothing to pull", func(t *testing.T) {
		sage(t, "pull", "--catalog", "../../catalog.yaml").want(t, 0, "nothing to pull", "")
	})
}

// workshop is an engine that can build and pull, and what was asked of it.
func workshop(t *testing.T) (*fake.Runtime, *[]string) {
	t.Helper()
	var did []string
	rt := fake.New(fake.Options{
		Build: func(_ context.Context, req runtime.ImageRequest, log func(string)) (fake.Image, error) {
			did = append(did, req.Ref+" "+req.Build.Args["COLOUR"])
			log("a line of " + req.Ref)
			if req.Build.Args["COLOUR"] == "none" {
				return fake.Image{}, errors.New("no such colour")
			}
			return fake.Image{}, nil
		},
		Pull: func(_ context.Context, ref string, progress func(runtime.Progress)) (fake.Image, error) {
			did = append(did, ref)
			for _, p := range []runtime.Progress{
				{Text: "Pulling"}, {Layer: "aa", Text: "Downloading", Current: 1, Total: 3},
				{Layer: "aa", Text: "Downloading", Current: 3, Total: 3}, {Layer: "aa", Text: "Extracting", Current: 2, Total: 3},
				{Layer: "aa", Text: "Pull complete"}, {Layer: "bb", Text: "Waiting"},
			} {
				progress(p)
			}
			return fake.Image{}, nil
		},
	})
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt, &did
}

// bring is what build and pull do when the engine is found.
func bring(t *testing.T, rt runtime.Runtime, apps *catalog.Catalog, builds bool, args map[string]string) (string, error) {
	t.Helper()
	chosen, err := chooseApps(apps, nil, builds)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	images := session.NewImages(rt, func() *catalog.Catalog { return apps }, args)
	err = bringAll(t.Context(), rt, images, chosen, newDisplay(&out))
	return out.String(), err
}

func TestBuild(t *testing.T) {
	_, apps := threeApps(t)
	rt, did := workshop(t)
	steps := []struct {
		name   string
		change func()
		args   map[string]string
		did    string
		says   []string
	}{
		{"missing", func() {}, nil, "localhost/t/base:1 red,localhost/t/top:1 ",
			[]string{"base: a line of localhost/t/base:1", "base: localhost/t/base:1 was built in", "top: localhost/t/top:1 was built in"}},
		{"up to date", func() {}, nil, "",
			[]string{"base: localhost/t/base:1 is up to date", "top: localhost/t/top:1 is up to date"}},
		{"file of the upper one", func() {
			if err := os.WriteFile(filepath.Join(apps.Apps[0].Build.Context, "new"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "localhost/t/top:1 ", []string{"base: localhost/t/base:1 is up to date", "top: localhost/t/top:1 was built anew in"}},
		{"build argument of the base", func() {}, map[string]string{"COLOUR": "blue"}, "localhost/t/base:1 blue,localhost/t/top:1 ",
			[]string{"base: localhost/t/base:1 was built anew in", "top: localhost/t/top:1 was built anew in"}},
	}
	for _, step := range steps {
		*did = nil
		step.change()
		out, err := bring(t, rt, apps, true, step.args)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := strings.Join(*did, ","); got != step.did {
			t.Errorf("%s: built %q, want %q", step.name, got, step.did)
		}
		for _, text := range step.says {
			if !strings.Contains(out, text) {
				t.Errorf("%s: %q does not say %q", step.name, out, text)
			}
		}
	}
}

func TestBuildFails(t *testing.T) {
	_, apps := threeApps(t)
	rt, did := workshop(t)
	out, err := bring(t, rt, apps, true, map[string]string{"COLOUR": "none"})
	if !errors.Is(err, runtime.ErrImageNotFound) || !strings.Contains(err.Error(), "image of app base") || !strings.Contains(err.Error(), "no such colour") {
		t.Error(err)
	}
	if !strings.Contains(out, "base: a line of localhost/t/base:1\nbase: failed\n") || len(*did) != 1 {
		t.Errorf("%q %q", out, *did)
	}
}

func TestPull(t *testing.T) {
	_, apps := threeApps(t)
	rt, _ := workshop(t)
	out, err := bring(t, rt, apps, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	const image = "registry.example.org/t/pulled:1"
	want := "pulled: Pulling\npulled: aa Downloading\npulled: aa Extracting\npulled: aa Pull complete\npulled: bb Waiting\npulled: " + image + " was pulled in "
	if !strings.HasPrefix(out, want) {
		t.Errorf("%q, want %q", out, want)
	}
	if out, err = bring(t, rt, apps, false, nil); err != nil || out != "pulled: "+image+" is up to date\n" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestBars(t *testing.T) {
	_, apps := threeApps(t)
	rt, _ := workshop(t)
	chosen, err := chooseApps(apps, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := chooseApps(apps, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	show := &bars{out: &out, options: []mpb.ContainerOption{mpb.WithAutoRefresh()}}
	images := session.NewImages(rt, func() *catalog.Catalog { return apps }, nil)
	if err := bringAll(t.Context(), rt, images, append(chosen, pulled...), show); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"base: localhost/t/base:1 was built in", "pulled: registry.example.org/t/pulled:1 was pulled in"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is missing in %q", text, out.String())
		}
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine("  a\tb\x1b[2Jc\r\n"); got != "a b [2Jc" {
		t.Errorf("%q", got)
	}
	if got := oneLine(strings.Repeat("x", 500)); len(got) != lastLineWidth || !strings.HasSuffix(got, "...") {
		t.Errorf("%q", got)
	}
}
