package daemon

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain looks for goroutines that are left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config is right, and needs an engine.
func config(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "catalog.yaml")
	const text = `version: 1
apps:
  - id: desk
    title: Desk
    image: localhost/test/desk:1
    endpoints:
      - name: vnc
        port: 5900
        protocol: rfb
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{
		Version: "v1", Logger: slog.New(slog.DiscardHandler), Engine: Engine{Kind: EngineAuto},
		Listen: "127.0.0.1:0", Catalog: file, DataDir: filepath.Join(dir, "data"), BaseName: "collab-vm-", Instance: "one",
		PortStart: 11000, PortEnd: 12000, StartTimeout: time.Minute, ImageTimeout: time.Minute,
		FirstClientGrace: time.Minute, IdleTimeout: time.Minute, StopGrace: time.Second, StartsAtOnce: 4,
	}
}

// noEngine leads every look for an engine of this user to an empty place.
func noEngine(t *testing.T) {
	t.Helper()
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("CONTAINER_HOST", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("PATH", t.TempDir())
}

// engine answers like a Docker Engine without containers; it gives its host.
func engine(t *testing.T) string {
	t.Helper()
	return engineBehind(t, &gate{})
}

// engineWith is an engine with networks.
func engineWith(t *testing.T, networks string) string {
	t.Helper()
	return standIn(t, &gate{}, networks)
}

// engineBehind is an engine that tells of volumes while the gate is open.
func engineBehind(t *testing.T, g *gate) string {
	t.Helper()
	return standIn(t, g, "[]")
}

// standIn answers in an engine's place.
func standIn(t *testing.T, g *gate, networks string) string {
	t.Helper()
	// The path of a socket is short.
	dir, err := os.MkdirTemp("", "sage")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.45")
		w.Header().Set("Ostype", "linux")
		var body any = map[string]any{}
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			_, _ = w.Write([]byte("OK"))
			return
		case strings.HasSuffix(r.URL.Path, "/version"):
			body = map[string]any{"Version": "99.1", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux"}
		case strings.HasSuffix(r.URL.Path, "/info"):
			body = map[string]any{"ServerVersion": "99.1", "CgroupVersion": "2", "OSType": "linux", "MemoryLimit": true, "PidsLimit": true, "CpuCfsQuota": true}
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			body = []any{}
		case strings.HasSuffix(r.URL.Path, "/networks"):
			body = json.RawMessage(networks)
		case strings.Contains(r.URL.Path, "/volumes/"):
			g.pass()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return "unix://" + socket
}
