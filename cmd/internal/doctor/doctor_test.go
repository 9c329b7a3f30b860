package doctor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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

// threeApps writes a catalog of two apps that are built and one that is pulled.
func threeApps(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"base", "top"} {
		write(t, filepath.Join(dir, name, "Containerfile"), "FROM scratch\n")
	}
	return write(t, filepath.Join(dir, "catalog.yaml"), `version: 1
apps:
  - {id: top, title: Top, image: localhost/t/top:1, build: {context: top, from: base},
     endpoints: [{name: vnc, port: 5900, protocol: rfb}], viewing: {password_env: PW}}
  - {id: pulled, title: Pulled, image: registry.example.org/t/pulled:1, endpoints: [{name: vnc, port: 5900, protocol: rfb}], viewing: {password_env: PW}}
  - {id: base, title: Base, image: localhost/t/base:1, build: {context: base, args: {VNC_SERVER: turbovnc}},
     endpoints: [{name: vnc, port: 5900, protocol: rfb}], viewing: {password_env: PW}}
`)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// write makes a file and the directories above it.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// healthy are settings with which all is well; images has those of threeApps.
func healthy(t *testing.T) daemon.Config {
	t.Helper()
	path := threeApps(t)
	return daemon.Config{
		Logger: slog.New(slog.DiscardHandler), Engine: daemon.Engine{Kind: daemon.EngineAuto},
		Listen: "127.0.0.1:0", Catalog: path, DataDir: t.TempDir(),
		BaseName: "x-", Instance: "x", PortStart: 1, PortEnd: 65536,
		StartTimeout: time.Second, ImageTimeout: time.Second, FirstClientGrace: time.Second,
		IdleTimeout: time.Second, StopGrace: time.Second, StartsAtOnce: 1,
	}
}

// engineOf opens a fake with images, which says of itself what info changes.
func engineOf(images []string, change func(*runtime.Info)) OpenFunc {
	return func(ctx context.Context, _ daemon.Engine, _ *slog.Logger) (runtime.Runtime, runtime.Info, error) {
		opts := fake.Options{
			Images:       map[string]fake.Image{},
			Capabilities: runtime.Capabilities{CPULimit: true, MemoryLimit: true, PIDsLimit: true},
		}
		for _, ref := range images {
			opts.Images[ref] = fake.Image{Labels: map[string]string{labelVNCServer: "turbovnc"}}
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
		open    OpenFunc
		mark    Mark
		subject string
		says    string
	}{
		{"catalog", nil, nil, OK, "catalog", "top, pulled, base"},
		{"engine", nil, nil, OK, "engine", "fake"},
		{"limits", nil, nil, OK, "limits", "honoured: CPU time, memory, number of processes (cgroup version 2)"},
		{"images", nil, nil, OK, "images", "all of the catalog"},
		{"ports", nil, nil, OK, "ports", "are free"},
		{"listen", nil, nil, OK, "listen", "127.0.0.1:0 is free"},
		{"data", nil, nil, OK, "data", "is writable"},

		{"every mistake of the settings", func(c *daemon.Config) { c.Instance, c.StopGrace = "", 0 }, nil, Fail, "settings", "SAGE_STOP_GRACE"},
		{"open to everybody", func(c *daemon.Config) { c.Listen = "0.0.0.0:0" }, nil, Fail, "settings", "SAGE_API_TOKEN"},
		{"ten mistakes", func(c *daemon.Config) { c.Catalog = "../../../catalog/testdata/bad-ten-mistakes.yaml" }, nil, Fail, "catalog", ":22:15: "},
		{"no catalog", func(c *daemon.Config) { c.Catalog = file + "no" }, nil, Fail, "catalog", "cannot be read"},
		{"no engine", nil, func(context.Context, daemon.Engine, *slog.Logger) (runtime.Runtime, runtime.Info, error) {
			return nil, runtime.Info{}, multierror.Append(nil, errors.New("docker at x: gone"), errors.New("podman at y: away"))
		}, Fail, "engine", "no container engine answers -> do one of the following"},
		{"rootless", nil, engineOf(nil, func(i *runtime.Info) { i.Rootless = true }), OK, "engine", "rootless"},
		{"limits ignored", nil, engineOf(nil, func(i *runtime.Info) {
			i.CgroupVersion, i.Capabilities.MemoryLimit = 1, false
			i.Warnings = []string{"boot with cgroup v2"}
		}), Warn, "limits", "not honoured here: memory (cgroup version 1) boot with cgroup v2 -> switch the controllers on"},
		{"warning of the engine", nil, engineOf(nil, func(i *runtime.Info) { i.Warnings = []string{"no forwarding"} }), Warn, "engine", "no forwarding"},
		{"images to build", nil, engineOf([]string{"registry.example.org/t/pulled:1"}, nil), Warn, "images",
			"missing: localhost/t/top:1, localhost/t/base:1 -> sage build ("},
		{"image to pull", nil, engineOf([]string{"localhost/t/base:1", "localhost/t/top:1"}, nil), Warn, "images",
			"missing: registry.example.org/t/pulled:1 -> sage pull ("},
		{"no range", func(c *daemon.Config) { c.PortEnd = c.PortStart }, nil, Fail, "ports", "[1, 1) has no port"},
		{"range taken", func(c *daemon.Config) { c.PortStart, c.PortEnd = port, port+1 }, nil, Fail, "ports", "every port of ["},
		{"stranger on the address", func(c *daemon.Config) { c.Listen = answering(404, "not here") }, nil, Fail, "listen", "a program that is not sage"},
		{"sage on the address", func(c *daemon.Config) {
			c.Listen = answering(200, `{"status":"ok","version":"7","engine":{"backend":"podman","version":"5"}}`)
		}, nil, OK, "listen", "sage 7 serves on"},
		{"sage with a token on the address", func(c *daemon.Config) { c.Listen = answering(200, `{"status":"ok"}`) }, nil, OK, "listen", "sage serves on"},
		{"catalog of everybody", func(c *daemon.Config) { chmod(t, c.Catalog, 0o666) }, nil, Fail, "catalog", "every account of this host may write"},
		{"data directory of everybody", func(c *daemon.Config) { chmod(t, c.DataDir, 0o777) }, nil, Fail, "data", "every account of this host may write"},
		{"VNC without a password", func(c *daemon.Config) {
			c.Catalog = write(t, filepath.Join(t.TempDir(), "catalog.yaml"),
				"version: 1\napps:\n- {id: a, title: A, image: localhost/a:1, endpoints: [{name: vnc, port: 1, protocol: rfb}]}\n")
		}, nil, Warn, "passwords", "apps[a].viewing: the endpoint vnc"},
		{"unwell sage on the address", func(c *daemon.Config) {
			c.Listen = answering(503, `{"code":"engine_unavailable","detail":"no engine"}`)
		}, nil, Warn, "listen", "is not well: no engine"},
		{"address of another machine", func(c *daemon.Config) { c.Listen = "192.0.2.1:4024" }, nil, Fail, "listen", "192.0.2.1:4024"},
		{"data directory to be made", func(c *daemon.Config) { c.DataDir += "/a/b" }, nil, OK, "data", "will be made"},
		{"data directory is a file", func(c *daemon.Config) { c.DataDir = file }, nil, Fail, "data", "not a directory"},
		{"data directory below a file", func(c *daemon.Config) { c.DataDir = file + "/a" }, nil, Fail, "data", "not a directory"},
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
			for _, f := range Examine(t.Context(), cfg, soundHost(t), open) {
				if (f.Mend != "") != (f.Mark != OK) {
					t.Errorf("%s %s has the mend %q", f.Mark, f.Subject, f.Mend)
				}
				said := strings.Join(slices.Concat([]string{f.Says}, f.Details, []string{"->", f.Mend}), " ")
				if f.Mark == tc.mark && f.Subject == tc.subject && strings.Contains(said, tc.says) {
					return
				}
				t.Logf("%s %s %s", f.Mark, f.Subject, said)
			}
			t.Errorf("no finding %s %s %q", tc.mark, tc.subject, tc.says)
		})
	}
}

// freeRange is a range with one port, on which nobody listens.
func freeRange(t *testing.T) (start, end int) {
	t.Helper()
	start = int(runtimetest.FreePort(t))
	return start, start + 1
}

func TestDoctorNamesEveryMistake(t *testing.T) {
	cfg := healthy(t)
	cfg.Instance, cfg.StopGrace, cfg.BaseName = "", 0, ""
	if found := examineSettings(cfg); len(found) != 3 {
		t.Errorf("%+v", found)
	}
}
