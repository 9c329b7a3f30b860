package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"

	"sage/cmd/internal/daemon"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/runtime/runtimetest"
)

// healthy are settings with which all is well; images has those of threeApps.
func healthy(t *testing.T) daemon.Config {
	t.Helper()
	path, _ := threeApps(t)
	return daemon.Config{
		Logger: slog.New(slog.DiscardHandler), Engine: daemon.Engine{Kind: daemon.EngineAuto},
		Listen: "127.0.0.1:0", Catalog: path, DataDir: t.TempDir(),
		BaseName: "x-", Instance: "x", PortStart: 1, PortEnd: 65536,
		StartTimeout: time.Second, ImageTimeout: time.Second, FirstClientGrace: time.Second,
		IdleTimeout: time.Second, StopGrace: time.Second, StartsAtOnce: 1,
	}
}

// engineOf opens a fake with images, which says of itself what info changes.
func engineOf(images []string, change func(*runtime.Info)) openFunc {
	return func(ctx context.Context, _ daemon.Engine, _ *slog.Logger) (runtime.Runtime, runtime.Info, error) {
		opts := fake.Options{
			Images:       map[string]fake.Image{},
			Capabilities: runtime.Capabilities{CPULimit: true, MemoryLimit: true, PIDsLimit: true},
		}
		for _, ref := range images {
			opts.Images[ref] = fake.Image{}
		}
		rt := fake.New(opts)
		info, err := rt.Ping(ctx)
		info.CgroupVersion = 2
		if change != nil {
			change(&info)
		}
		return rt, info, err
	}
}

func allImages() []string {
	return []string{"localhost/t/base:1", "localhost/t/top:1", "registry.example.org/t/pulled:1"}
}

func TestDoctor(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	_, text, _ := net.SplitHostPort(held.Addr().String())
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	answering := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	for _, tc := range []struct {
		name    string
		change  func(*daemon.Config)
		open    openFunc
		mark    mark
		subject string
		says    string
	}{
		{"catalog", nil, nil, markOK, "catalog", "top, pulled, base"},
		{"engine", nil, nil, markOK, "engine", "fake"},
		{"limits", nil, nil, markOK, "limits", "honoured: CPU time, memory, number of processes (cgroup version 2)"},
		{"images", nil, nil, markOK, "images", "all of the catalog"},
		{"ports", nil, nil, markOK, "ports", "are free"},
		{"listen", nil, nil, markOK, "listen", "127.0.0.1:0 is free"},
		{"data", nil, nil, markOK, "data", "is writable"},

		{"every mistake of the settings", func(c *daemon.Config) { c.Instance, c.StopGrace = "", 0 }, nil, markFail, "settings", "SAGE_STOP_GRACE"},
		{"open to everybody", func(c *daemon.Config) { c.Listen = "0.0.0.0:0" }, nil, markFail, "settings", "SAGE_API_TOKEN"},
		{"ten mistakes", func(c *daemon.Config) { c.Catalog = "../../catalog/testdata/bad-ten-mistakes.yaml" }, nil, markFail, "catalog", ":22:15: "},
		{"no catalog", func(c *daemon.Config) { c.Catalog = file + "no" }, nil, markFail, "catalog", "cannot be read"},
		{"no engine", nil, func(context.Context, daemon.Engine, *slog.Logger) (runtime.Runtime, runtime.Info, error) {
			return nil, runtime.Info{}, multierror.Append(nil, errors.New("docker at x: gone"), errors.New("podman at y: away"))
		}, markFail, "engine", "no container engine answers docker at x: gone podman at y: away -> start Docker or Podman"},
		{"rootless", nil, engineOf(nil, func(i *runtime.Info) { i.Rootless = true }), markOK, "engine", "rootless"},
		{"limits ignored", nil, engineOf(nil, func(i *runtime.Info) {
			i.CgroupVersion, i.Capabilities.MemoryLimit = 1, false
			i.Warnings = []string{"boot with cgroup v2"}
		}), markWarn, "limits", "not honoured here: memory (cgroup version 1) -> boot with cgroup v2"},
		{"warning of the engine", nil, engineOf(nil, func(i *runtime.Info) { i.Warnings = []string{"no forwarding"} }), markWarn, "engine", "no forwarding"},
		{"images to build", nil, engineOf([]string{"registry.example.org/t/pulled:1"}, nil), markWarn, "images",
			"missing: localhost/t/top:1, localhost/t/base:1 -> sage build ("},
		{"image to pull", nil, engineOf([]string{"localhost/t/base:1", "localhost/t/top:1"}, nil), markWarn, "images",
			"missing: registry.example.org/t/pulled:1 -> sage pull ("},
		{"no range", func(c *daemon.Config) { c.PortEnd = c.PortStart }, nil, markFail, "ports", "[1, 1) has no port"},
		{"range taken", func(c *daemon.Config) { c.PortStart, c.PortEnd = port, port+1 }, nil, markFail, "ports", "every port of ["},
		{"stranger on the address", func(c *daemon.Config) { c.Listen = answering(404, "not here") }, nil, markFail, "listen", "a program that is not sage"},
		{"sage on the address", func(c *daemon.Config) {
			c.Listen = answering(200, `{"status":"ok","version":"7","engine":{"backend":"podman","version":"5"}}`)
		}, nil, markOK, "listen", "sage 7 serves on"},
		{"unwell sage on the address", func(c *daemon.Config) {
			c.Listen = answering(503, `{"code":"engine_unavailable","detail":"no engine"}`)
		}, nil, markWarn, "listen", "is not well: no engine"},
		{"address of another machine", func(c *daemon.Config) { c.Listen = "192.0.2.1:4024" }, nil, markFail, "listen", "192.0.2.1:4024"},
		{"data directory to be made", func(c *daemon.Config) { c.DataDir += "/a/b" }, nil, markOK, "data", "will be made"},
		{"data directory is a file", func(c *daemon.Config) { c.DataDir = file }, nil, markFail, "data", "not a directory"},
		{"data directory below a file", func(c *daemon.Config) { c.DataDir = file + "/a" }, nil, markFail, "data", "not a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := healthy(t)
			if tc.change != nil {
				tc.change(&cfg)
			}
			if cfg.PortEnd == 65536 {
				cfg.PortStart, cfg.PortEnd = freeRange(t)
			}
			open := tc.open
			if open == nil {
				open = engineOf(allImages(), nil)
			}
			for _, f := range examine(t.Context(), cfg, open) {
				said := strings.Join(append([]string{f.says}, f.more...), " ")
				if f.mark == tc.mark && f.subject == tc.subject && strings.Contains(said, tc.says) {
					return
				}
				t.Logf("%s %s %s", f.mark, f.subject, said)
			}
			t.Errorf("no finding %s %s %q", tc.mark, tc.subject, tc.says)
		})
	}
}

// freeRange is a range with one port, on which nobody listens.
func freeRange(t *testing.T) (start, end int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start = l.Addr().(*net.TCPAddr).Port
	return start, start + 1
}

func TestDoctorNamesEveryMistake(t *testing.T) {
	cfg := healthy(t)
	cfg.Instance, cfg.StopGrace, cfg.BaseName = "", 0, ""
	if found := examineSettings(cfg); len(found) != 3 {
		t.Errorf("%+v", found)
	}
}

func TestReport(t *testing.T) {
	for _, tc := range []struct {
		name     string
		findings []finding
		err      string
		want     string
	}{
		{"well", []finding{ok("engine", "docker %d", 1)}, "", "ok    engine    docker 1\n\nnothing to mend\n"},
		{"warning", []finding{warn("images", "sage build", "missing")}, "",
			"warn  images    missing\n                -> sage build\n\ndesktops can start, 1 warning\n"},
		{"failure", []finding{fail("data", "", "gone"), fail("ports", "", "none"), warn("engine", "", "old")},
			"doctor: 2 things to mend before desktops start, 1 warning", "fail  data      gone\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			err := report(&out, tc.findings)
			if got := errorText(err); got != tc.err || err != nil && exitCode(err) != exitFailed {
				t.Errorf("error %q, want %q", got, tc.err)
			}
			if !strings.HasPrefix(out.String(), tc.want) {
				t.Errorf("%q, want %q", out.String(), tc.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestDoctorOnEngines asks the real ones.
func TestDoctorOnEngines(t *testing.T) {
	for _, tc := range []struct{ name, kind, mode string }{
		{"docker", daemon.EngineDocker, ""},
		{"podman", daemon.EnginePodman, "with root"},
		{"podman-rootless", daemon.EnginePodman, "rootless"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			host := runtimetest.EngineHost(t, tc.name)
			path, _ := threeApps(t)
			start, end := freeRange(t)
			got := sage(t, "doctor", "--runtime", tc.kind, "--runtime-host", host, "--catalog", path, "--data-dir", t.TempDir(),
				"--listen", "127.0.0.1:0", "--port-range-start", strconv.Itoa(start), "--port-range-end", strconv.Itoa(end))
			got.want(t, 0, "missing: localhost/t/top:1, registry.example.org/t/pulled:1, localhost/t/base:1", "")
			if !strings.Contains(got.stdout, "ok    engine    "+tc.kind+" ") || !strings.Contains(got.stdout, tc.mode) {
				t.Error(got.stdout)
			}
		})
	}
}

func TestDoctorWithoutEngine(t *testing.T) {
	path, _ := threeApps(t)
	got := sage(t, "doctor", "--runtime", "docker", "--runtime-host", "unix:///nowhere/docker.sock", "--catalog", path,
		"--data-dir", t.TempDir(), "--listen", "127.0.0.1:0")
	got.want(t, 1, "docker at unix:///nowhere/docker.sock (SAGE_RUNTIME_HOST)", "1 thing to mend")
}
