package podman

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sage/runtime"
)

const someID = runtime.ID("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")

// serve runs a service on a Unix socket that knows who it is and answers the
// rest with handler.
func serve(t *testing.T, handler http.HandlerFunc) *Runtime {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Libpod-API-Version", "4.3.1")
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(req.URL.Path, "/_ping"):
		case strings.HasSuffix(req.URL.Path, "/info"):
			_, _ = w.Write([]byte(`{"host":{"security":{"rootless":true}},"version":{"Version":"4.3.1"}}`))
		default:
			handler(w, req)
		}
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	rt, err := New(Options{Host: "unix://" + socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// answer is an error as the service tells it.
func answer(status int, cause, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/json") {
			_, _ = w.Write([]byte(`{"State":{"Status":"created"}}`))
			return
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"cause": cause, "message": message, "response": status})
	}
}

// TestErrors has what real services said (4.3.1), and the statuses of newer ones.
func TestErrors(t *testing.T) {
	start := func(rt *Runtime) error { return rt.Start(t.Context(), someID) }
	create := func(rt *Runtime) error {
		_, err := rt.Create(t.Context(), runtime.Spec{Name: "a", Image: "localhost/a"})
		return err
	}
	for _, c := range []struct {
		name           string
		call           func(*Runtime) error
		status         int
		cause, message string
		want           error
	}{
		{"port, rootful", start, 500, "address already in use",
			"cannot listen on the TCP port: listen tcp4 127.0.0.1:19020: bind: address already in use", runtime.ErrPortInUse},
		{"port, rootless", start, 500, "rootlessport listen tcp 127.0.0.1:19111: bind: address already in use",
			"rootlessport listen tcp 127.0.0.1:19111: bind: address already in use", runtime.ErrPortInUse},
		{"port, pasta", start, 500, "",
			"pasta failed with exit code 1: Failed to bind port 80 (Address already in use) for option '-t 80'", runtime.ErrPortInUse},
		{"privileged port", start, 500, "", "rootlessport cannot expose privileged port 80", runtime.ErrInvalid},
		{"no program", start, 500, "OCI runtime attempted to invoke a command that was not found",
			`runc: exec: "/nope": stat /nope: no such file or directory: OCI runtime attempted to invoke a command that was not found`,
			runtime.ErrInvalid},
		{"program not executable", start, 500, "OCI permission denied",
			`runc: runc create failed: unable to start container process: exec: "/x": permission denied: OCI permission denied`,
			runtime.ErrInvalid},
		{"another permission", start, 500, "OCI permission denied",
			"error setting rlimits for ready process: operation not permitted: OCI permission denied", runtime.ErrInternal},
		{"no container", start, 404, "no such container", `no container with name or ID "x" found: no such container`, runtime.ErrNotFound},
		{"disk full", start, 500, "no space left on device", "mkdir: no space left on device", runtime.ErrExhausted},
		{"name", create, 500, "that name is already in use", `the container name "a1" is already in use by c5`, runtime.ErrConflict},
		{"name, newer", create, 409, "", "conflict", runtime.ErrConflict},
		{"image", create, 500, "image not known", "localhost/a: image not known", runtime.ErrImageNotFound},
		{"image, newer", create, 404, "", "no", runtime.ErrImageNotFound},
		{"argument", create, 500, "invalid argument", "names must match: invalid argument", runtime.ErrInvalid},
		{"something else", create, 500, "", "boom", runtime.ErrInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.call(serve(t, answer(c.status, c.cause, c.message)))
			var e *runtime.Error
			if !errors.As(err, &e) || e.Kind != c.want {
				t.Errorf("got %v, want kind %v", err, c.want)
			}
		})
	}
}

func TestNoService(t *testing.T) {
	rt, err := New(Options{Host: "unix://" + filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.Ping(t.Context()); !errors.Is(err, runtime.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// TestCanceled has a service that never answers.
func TestCanceled(t *testing.T) {
	reached := make(chan struct{}, 8)
	hold := make(chan struct{})
	rt := serve(t, func(_ http.ResponseWriter, req *http.Request) {
		reached <- struct{}{}
		select {
		case <-hold:
		case <-req.Context().Done():
		}
	})
	defer close(hold)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := rt.Inspect(ctx, someID)
		done <- err
	}()
	<-reached
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, runtime.ErrCanceled) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the call did not return")
	}
}

// TestRemoveVolumeIsExact has a service that takes the beginning of a name for
// the whole when it removes, as Podman does.
func TestRemoveVolumeIsExact(t *testing.T) {
	rt := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodDelete {
			t.Errorf("%s would remove another volume", req.URL.Path)
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"cause":"no such volume","message":"no such volume","response":404}`))
	})
	if err := rt.RemoveVolume(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
}
