package catalog_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sage/catalog"
)

func load(t *testing.T, path string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func app(t *testing.T, c *catalog.Catalog, name string) *catalog.App {
	t.Helper()
	a, ok := c.App(name)
	if !ok {
		t.Fatalf("no app %q", name)
	}
	return a
}

func TestDefaults(t *testing.T) {
	a := app(t, load(t, "testdata/good-minimal.yaml"), "one")
	if want := (catalog.Limits{CPUs: 2, Memory: 2 << 30, Pids: 512, Shm: 256 << 20}); a.Limits != want {
		t.Errorf("limits are %+v, want %+v", a.Limits, want)
	}
	if want := []catalog.Tmpfs{{Path: "/tmp", Size: 256 << 20}, {Path: "/run", Size: 64 << 20}}; !slices.Equal(a.Tmpfs, want) {
		t.Errorf("tmpfs is %+v, want %+v", a.Tmpfs, want)
	}
	if !a.ReadOnly {
		t.Error("the root filesystem is writable")
	}
	if a.Home != nil || a.Build != nil || a.IconDataURI() != "" || a.Timeouts != (catalog.Timeouts{}) {
		t.Errorf("got something that the file does not have: %+v", a)
	}
}

func TestEverySetting(t *testing.T) {
	c := load(t, "testdata/good-full.yaml")
	a := app(t, c, "full")
	context, err := filepath.Abs("testdata/context")
	if err != nil {
		t.Fatal(err)
	}
	if a.Build.Context != context || a.Build.Containerfile != "Containerfile" || a.Build.From != "base" {
		t.Errorf("build is %+v", a.Build)
	}
	if b := app(t, c, "base").Build; b.Containerfile != "Containerfile" || b.Args["A"] != "b" {
		t.Errorf("build of base is %+v", b)
	}
	if want := (catalog.Limits{CPUs: 0.5, Memory: 3 << 29, Pids: 16, Shm: 64 << 20}); a.Limits != want {
		t.Errorf("limits are %+v, want %+v", a.Limits, want)
	}
	if want := []catalog.Tmpfs{{Path: "/tmp", Size: 64 << 20}, {Path: "/var/cache", Size: 1 << 30}}; !slices.Equal(a.Tmpfs, want) {
		t.Errorf("tmpfs is %+v, want %+v", a.Tmpfs, want)
	}
	if a.ReadOnly || a.Home.Path != "/home/sage" {
		t.Errorf("read-only %v, home %+v", a.ReadOnly, a.Home)
	}
	want := catalog.Timeouts{
		Start: catalog.Duration(time.Minute), FirstClient: catalog.Duration(90 * time.Minute),
		Idle: catalog.Duration(90 * time.Second), MaxLifetime: catalog.Duration(24 * time.Hour),
	}
	if a.Timeouts != want {
		t.Errorf("time-outs are %+v, want %+v", a.Timeouts, want)
	}
	icon, err := os.ReadFile("testdata/icon.svg")
	if err != nil {
		t.Fatal(err)
	}
	if want := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(icon); a.IconDataURI() != want {
		t.Errorf("icon is %q, want %q", a.IconDataURI(), want)
	}
	if v := a.Variables[0]; !v.Secret || v.MaxLength != 4 || *v.Default != "a" || !slices.Equal(v.Allowed, []string{"a", "b", "1"}) {
		t.Errorf("first variable is %+v", v)
	}
}

func TestNames(t *testing.T) {
	c := load(t, "testdata/good-full.yaml")
	for name, want := range map[string]string{
		"base": "base", "b": "base", "B.2": "base", "full": "full", "f": "full",
		"": "", "bas": "", "BASE": "", ".*": "", "b.2": "", "Bx2": "", "base ": "",
	} {
		a, ok := c.App(name)
		if ok != (want != "") || ok && a.ID != want {
			t.Errorf("App(%q) = %v, %v; want %q", name, a, ok, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	full := app(t, load(t, "testdata/good-full.yaml"), "full")
	if p := full.Primary(); p.Name != "vnc" || p.Port != 5900 || p.Protocol != catalog.RFB {
		t.Errorf("primary is %+v, want vnc", p)
	}
	if p := app(t, load(t, "testdata/good-flow.yaml"), "one").Primary(); p.Name != "web" {
		t.Errorf("primary is %+v, want the first", p)
	}
	if p := (&catalog.App{}).Primary(); p != (catalog.Endpoint{}) {
		t.Errorf("primary of nothing is %+v", p)
	}
	for name, want := range map[string]string{"web": "/websockify", "web2": "/ws", "vnc": "", "audio": ""} {
		if e, ok := full.Endpoint(name); !ok || e.Path != want {
			t.Errorf("path of %s is %q, want %q", name, e.Path, want)
		}
	}
	if e, ok := full.Endpoint("we"); ok {
		t.Errorf("part of a name finds %+v", e)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]catalog.Size{"512m": 512 << 20, "2g": 2 << 30, "1.5GiB": 3 << 29, "100": 100, "0": 0} {
		var s catalog.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q is %d (%v), want %d", text, s, err, want)
		}
		exact, err := s.MarshalText()
		var back catalog.Size
		if err != nil || back.UnmarshalText(exact) != nil || back != s {
			t.Errorf("%q does not come back: %s", text, exact)
		}
	}
	for _, text := range []string{"", "m", "-1", "-5g", "nan", "9999999999999t", "1 x"} {
		var s catalog.Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was accepted as %d", text, s)
		}
	}
}

// TestShippedCatalog holds for the file that Sage comes with.
func TestShippedCatalog(t *testing.T) {
	c := load(t, "../catalog.yaml")
	var ids []string
	for i := range c.Apps {
		a := &c.Apps[i]
		ids = append(ids, a.ID)
		if !strings.HasPrefix(a.IconDataURI(), "data:image/svg+xml;base64,") {
			t.Errorf("%s has no icon", a.ID)
		}
		if a.Image != "localhost/sage/"+a.ID+":latest" || a.Build == nil {
			t.Errorf("%s is not built here: %s, %+v", a.ID, a.Image, a.Build)
		}
		if a.Home == nil || a.Home.Path != "/home/sage" || !a.ReadOnly || a.Description == "" {
			t.Errorf("%s: home %+v, read-only %v, description %q", a.ID, a.Home, a.ReadOnly, a.Description)
		}
		if p := a.Primary(); p != (catalog.Endpoint{Name: "vnc", Port: 5900, Protocol: catalog.RFB}) {
			t.Errorf("%s shows %+v", a.ID, p)
		}
		env, err := a.Environ(nil)
		if err != nil || env["SAGE_GEOMETRY"] != "1280x800" {
			t.Errorf("%s starts with %v (%v)", a.ID, env, err)
		}
		for _, size := range []string{"1920", "99x100", "0100x100", "100000x100", "1280x800x24", "1280x800 -depth 8", "1280x800\n"} {
			if _, err := a.Environ(map[string]any{"SAGE_GEOMETRY": size}); err == nil {
				t.Errorf("%s accepts the screen size %q", a.ID, size)
			}
		}
	}
	if want := []string{"desktop", "firefox", "blender"}; !slices.Equal(ids, want) {
		t.Errorf("apps are %v, want %v", ids, want)
	}
	// A program that takes a process for every connection serves nobody who did not ask for it.
	for _, a := range c.Apps {
		if _, ok := a.Env["SAGE_WEBSOCKIFY"]; ok || slices.ContainsFunc(a.Endpoints, func(e catalog.Endpoint) bool { return e.Protocol == catalog.WebSocket }) {
			t.Errorf("%s has websockify: %+v, %v", a.ID, a.Endpoints, a.Env)
		}
	}
	if warnings := c.Warnings(); len(warnings) > 0 {
		t.Errorf("warnings %v", warnings)
	}
	firefox := app(t, c, "firefox-audio")
	for url, ok := range map[string]bool{
		"": true, "about:blank": true, "https://example.org/a?b=c&d=%20#e": true, "http://localhost:8080": true,
		"file:///etc/passwd": false, "javascript:alert(1)": false, "about:config": false, "https://a b": false,
		"https://a --profile x": false, "--help": false, "https://a\"b": false, "https://a`b`": false, "https://": false,
	} {
		if _, err := firefox.Environ(map[string]any{"FIREFOX_URLS": []any{"about:blank", url}}); (err == nil) != ok {
			t.Errorf("FIREFOX_URLS with %q: %v", url, err)
		}
	}
	// As SAGE3 boards ask for it.
	for _, tt := range []struct {
		given       map[string]any
		urls, theme string
	}{
		{map[string]any{}, "", ""},
		{map[string]any{"FIREFOX_THEME": 1.0}, "", "1"},
		{map[string]any{"FIREFOX_THEME": 0.0, "FIREFOX_URLS": "https://a.example"}, "https://a.example", "0"},
		{map[string]any{"FIREFOX_URLS": "https://a.example https://b.example"}, "https://a.example https://b.example", ""},
		{map[string]any{"FIREFOX_URLS": []any{"https://a.example", "https://b.example"}}, "https://a.example https://b.example", ""},
	} {
		env, err := firefox.Environ(tt.given)
		theme, set := env["FIREFOX_THEME"]
		if err != nil || env["FIREFOX_URLS"] != tt.urls || theme != tt.theme || set != (tt.theme != "") {
			t.Errorf("%v becomes %v (%v)", tt.given, env, err)
		}
	}
	for _, theme := range []any{2.0, -1.0, 0.5, true, "dark"} {
		if _, err := firefox.Environ(map[string]any{"FIREFOX_THEME": theme}); err == nil {
			t.Errorf("FIREFOX_THEME takes %v", theme)
		}
	}
}
