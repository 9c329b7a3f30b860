package e2e_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testWebsockify looks at the desktop through the websockify in its container.
func testWebsockify(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_CATALOG": viewingCatalog(t)})
	s := d.start(t, "allocate", `{"vm":"locked"}`)
	view := d.watch(t, s.URL, "websockify")
	before := view.calm(t, "first", showsTerminal)
	view.typeText(t, "echo through websockify\n")
	view.await(t, "typed", moved(before))
}

// testRestart: desktops outlive the daemon, however it ends.
func testRestart(t *testing.T, e *engine) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			d := serve(t, e, nil)
			s := d.start(t, "allocate", `{"vm":"desktop"}`)
			view := d.watch(t, s.URL, "vnc")
			view.await(t, "before", showsTerminal)
			before := e.containers(t.Context(), t, d.instance, s.UID)
			d.end(signal)
			d.run()

			var found struct {
				URL string `json:"url"`
			}
			d.ask(t, http.MethodGet, "/api/vm/ws/"+s.UID, "").decode(t, &found)
			if found.URL != s.URL {
				t.Errorf("address %q after the restart, want %q", found.URL, s.URL)
			}
			if again := d.start(t, s.UID, `{}`); again.URL != s.URL {
				t.Errorf("a start gives %q, want %q", again.URL, s.URL)
			}
			d.watch(t, s.URL, "vnc").await(t, "after", showsTerminal)
			after := e.containers(t.Context(), t, d.instance, "")
			if len(before) != 1 || len(after) != 1 || before[0].ID != after[0].ID {
				t.Errorf("containers %+v before and %+v after, want the same one", before, after)
			}
		})
	}
}

// testAccess: who may use a Sage, seen from outside.
func testAccess(t *testing.T, e *engine) {
	t.Run("token", func(t *testing.T) {
		d := serve(t, e, settings{"SAGE_API_TOKEN": "e2e-secret"})
		d.ask(t, http.MethodGet, "/api/vm/list", "").refused(t, http.StatusUnauthorized, "unauthorized")
		d.ask(t, http.MethodGet, "/api/vm/list", "", "Authorization: Bearer e2e-secre").refused(t, http.StatusUnauthorized, "unauthorized")
		for _, path := range []string{"/api/vm/list", "/readyz"} {
			if a := d.ask(t, http.MethodGet, path, "", "Authorization: Bearer e2e-secret"); a.status != http.StatusOK {
				t.Errorf("GET %s with the token: status %d: %s", path, a.status, a.body)
			}
		}
	})
	t.Run("origins", func(t *testing.T) {
		const board, stranger = "https://board.example", "https://stranger.example"
		d := serve(t, e, settings{"SAGE_ALLOWED_ORIGINS": board})
		a := d.ask(t, http.MethodGet, "/api/vm/list", "", "Origin: "+board)
		if got := a.header.Get("Access-Control-Allow-Origin"); a.status != http.StatusOK || got != board {
			t.Errorf("a page of %s: status %d, allowed %q: %s", board, a.status, got, a.body)
		}
		a = d.ask(t, http.MethodOptions, "/api/vm/any/x", "", "Origin: "+board, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
		if got := a.header.Get("Access-Control-Allow-Origin"); a.status/100 != 2 || got != board {
			t.Errorf("preflight of %s: status %d, allowed %q: %s", board, a.status, got, a.body)
		}
		a = d.ask(t, http.MethodGet, "/api/vm/list", "", "Origin: "+stranger)
		a.refused(t, http.StatusForbidden, "origin_not_allowed")
		if got := a.header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("a page of %s is allowed as %q", stranger, got)
		}
		if a := d.ask(t, http.MethodGet, "/api/vm/list", "", "Origin: "+d.address); a.status != http.StatusOK {
			t.Errorf("sage's own page: status %d: %s", a.status, a.body)
		}
	})
}

// TestRefusesToServe needs no engine: the program ends with a code and says why.
func TestRefusesToServe(t *testing.T) {
	mistakes, err := filepath.Abs("../catalog/testdata/bad-ten-mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  settings
		args []string
		code int
		says []string
	}{
		{"empty port range", settings{"PORT_RANGE_START": "21000", "PORT_RANGE_END": "21000"}, nil, 2, []string{"[21000, 21000) is empty", "PORT_RANGE_END"}},
		{"reversed port range", settings{"PORT_RANGE_START": "22000", "PORT_RANGE_END": "21000"}, nil, 2, []string{"[22000, 21000) is reversed", "PORT_RANGE_START"}},
		{"docker is not there", settings{"SAGE_RUNTIME": "docker"}, nil, 1, []string{"no container engine answers", "no-engine.sock", "SAGE_RUNTIME_HOST"}},
		{"podman is not there", settings{"SAGE_RUNTIME": "podman"}, nil, 1, []string{"no container engine answers", "no-engine.sock", "SAGE_RUNTIME_HOST"}},
		{"beyond loopback without a token", settings{"SAGE_LISTEN": "0.0.0.0:0"}, nil, 2, []string{"0.0.0.0:0", "SAGE_API_TOKEN", "--allow-anonymous"}},
		{"all addresses without a token", settings{"SAGE_LISTEN": ":0"}, nil, 2, []string{"SAGE_API_TOKEN"}},
		{"no catalog", settings{"SAGE_CATALOG": "there-is-none.yaml"}, nil, 1, []string{"there-is-none.yaml"}},
		{"unknown flag", nil, []string{"--frobnicate"}, 2, []string{"frobnicate"}},
		{"a catalog with ten mistakes", settings{"SAGE_CATALOG": mistakes}, nil, 1, []string{
			":3:1: owner", ":6:5: apps[blender].titel", ":8:12: apps[blender].image", ":9:11: apps[blender].icon",
			":11:27: apps[blender].endpoints[0].port", ":13:15: apps[blender].limits.memory", ":14:5: apps[blender].title",
			":19:43: apps[firefox].endpoints[0].protocol", ":21:47: apps[firefox].environment[0].default", ":22:15: apps[firefox].aliases[0]",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			env := settings{
				"PATH": t.TempDir(), "HOME": t.TempDir(), "SAGE_DATA_DIR": data, "SAGE_CATALOG": absolute(t, catalogFile),
				"SAGE_LISTEN": "127.0.0.1:0", "SAGE_RUNTIME": "docker", "SAGE_RUNTIME_HOST": "unix://" + filepath.Join(t.TempDir(), "no-engine.sock"),
			}
			for name, value := range tt.env {
				env[name] = value
			}
			code, said := runSage(t, env, append([]string{"serve"}, tt.args...)...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, said)
			}
			for _, want := range tt.says {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			if strings.Contains(said, "sage is ready") {
				t.Errorf("it served: %s", said)
			}
		})
	}
}

// runSage runs the program to its end.
func runSage(t *testing.T, env settings, args ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Getenv(envBinary), args...)
	cmd.Env = env.environ()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("it did not end within a minute: %s", out.String())
	}
	if cmd.ProcessState == nil {
		t.Fatalf("run sage: %v", err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}
