package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"sage/runtime"
)

const anID runtime.ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// says is an error answer of the engine.
func says(status int, message string) transport {
	body, _ := json.Marshal(map[string]string{"message": message})
	return reply(status, string(body))
}

func TestErrorsOfCreate(t *testing.T) {
	tests := []struct {
		name   string
		answer transport
		want   error
	}{
		{"name in use", says(409, `Conflict. The container name "/a" is already in use by container "1f".`), runtime.ErrConflict},
		{"no image", says(404, "No such image: localhost/a:b"), runtime.ErrImageNotFound},
		{"refused", says(400, "Minimum memory limit allowed is 6MB"), runtime.ErrInvalid},
		{"disk full", says(500, "mkdir /var/lib/docker/overlay2/x: no space left on device"), runtime.ErrExhausted},
		{"failed", says(500, "something else"), runtime.ErrInternal},
		{"shutting down", says(503, "the daemon is shutting down"), runtime.ErrUnavailable},
		{"connection refused", breaks(&net.OpError{Op: "dial", Net: "unix", Err: syscall.ECONNREFUSED}), runtime.ErrUnavailable},
		{"connection lost", breaks(io.ErrUnexpectedEOF), runtime.ErrUnavailable},
		{"half an answer", reply(201, `{"Id":"1`), runtime.ErrUnavailable},
		{"not implemented", says(501, "no"), runtime.ErrUnsupported},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rt := answered(t, map[string]transport{"/containers/create": test.answer})
			_, err := rt.Create(t.Context(), runtime.Spec{Name: "a", Image: "localhost/a:b"})
			wantKind(t, err, "create", test.want)
		})
	}
}

func TestErrorsOfStart(t *testing.T) {
	const (
		endpoint = "driver failed programming external connectivity on endpoint a (1f): "
		runc     = "OCI runtime create failed: container_linux.go:380: starting container process caused: "
		newer    = "failed to create task for container: failed to create shim task: OCI runtime create failed: " +
			"runc create failed: unable to start container process: error during container init: "
	)
	tests := []struct {
		name   string
		answer transport
		want   error
	}{
		{"held by a program", says(500, endpoint+"Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use"), runtime.ErrPortInUse},
		{"held by a container", says(500, endpoint+"Bind for 127.0.0.1:80 failed: port is already allocated"), runtime.ErrPortInUse},
		{"held, newer words", says(500, "failed to set up container networking: "+endpoint+"failed to bind host port for 127.0.0.1:80: address already in use"), runtime.ErrPortInUse},
		{"foreign address", says(500, endpoint+"Error starting userland proxy: listen tcp4 192.0.2.1:80: bind: cannot assign requested address"), runtime.ErrInvalid},
		{"no program", says(400, runc+`exec: "/no": stat /no: no such file or directory: unknown`), runtime.ErrInvalid},
		{"no program, as a failure", says(500, newer+`exec: "no": executable file not found in $PATH: unknown`), runtime.ErrInvalid},
		{"not executable, as a failure", says(500, newer+`exec: "/etc": permission denied: unknown`), runtime.ErrInvalid},
		{"a mount fails", says(500, newer+"error mounting /proc: permission denied"), runtime.ErrInternal},
		{"bridge full", says(500, "adding interface veth1 to bridge docker0 failed: exchange full"), runtime.ErrExhausted},
		{"no addresses", says(500, "no available IPv4 addresses on this network's address pools: bridge"), runtime.ErrExhausted},
		{"gone", says(404, "No such container: 1f"), runtime.ErrNotFound},
		{"being removed", says(409, "container is marked for removal and cannot be started"), runtime.ErrConflict},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rt := answered(t, map[string]transport{
				"/containers/" + string(anID) + "/json":  inspected("created"),
				"/containers/" + string(anID) + "/start": test.answer,
			})
			wantKind(t, rt.Start(t.Context(), anID), "start", test.want)
		})
	}
}

// inspected is the description of a container in a state.
func inspected(status string) transport {
	return reply(http.StatusOK, `{"Id":"1f","State":{"Status":"`+status+`"},"HostConfig":{},"Config":{}}`)
}

func TestErrorsOfPull(t *testing.T) {
	tests := []struct {
		name   string
		ref    string
		answer transport
		want   error
	}{
		{"not in the registry", "localhost/a:b", says(404, "manifest unknown"), runtime.ErrImageNotFound},
		{"no registry", "localhost/a:b", says(500, "Get https://localhost/v2/: dial tcp 127.0.0.1:443: connect: connection refused"), runtime.ErrImageNotFound},
		{"while it comes", "localhost/a:b", reply(200, `{"status":"Pulling"}{"errorDetail":{"message":"unauthorized"}}`), runtime.ErrImageNotFound},
		{"disk full", "localhost/a:b", reply(200, `{"errorDetail":{"message":"write /x: no space left on device"}}`), runtime.ErrExhausted},
		{"engine goes away", "localhost/a:b", reply(200, `{"status":"Pul`), runtime.ErrUnavailable},
		{"malformed", "localhost/A B", nil, runtime.ErrInvalid},
		{"empty", "", nil, runtime.ErrInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rt := answered(t, map[string]transport{
				"/images/localhost/a:b/json": says(404, "No such image: localhost/a:b"),
				"/images/create":             test.answer,
			})
			wantKind(t, rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: test.ref}, nil), "ensureimage", test.want)
		})
	}
}

// TestRemoveWaitsForAnother proves that the name is free when Remove returns,
// whoever removes.
func TestRemoveWaitsForAnother(t *testing.T) {
	calls := 0
	rt := answered(t, map[string]transport{"/containers/" + string(anID): func(r *http.Request) (*http.Response, error) {
		if calls++; calls < 3 {
			return says(409, "removal of container 1f is already in progress")(r)
		}
		return says(404, "No such container: 1f")(r)
	}})
	if err := rt.Remove(t.Context(), anID); err != nil || calls != 3 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

func TestForeignNamesNeverReachTheEngine(t *testing.T) {
	rt := answered(t, nil)
	for _, id := range []runtime.ID{"", "sage-1", "0123456789ab", "../images/a", "a?force=1"} {
		_, err := rt.Inspect(t.Context(), id)
		wantKind(t, err, "inspect", runtime.ErrNotFound)
		wantKind(t, rt.Start(t.Context(), id), "start", runtime.ErrNotFound)
		if err := rt.Stop(t.Context(), id, time.Second); err != nil {
			t.Errorf("stop %q: %v", id, err)
		}
		if err := rt.Remove(t.Context(), id); err != nil {
			t.Errorf("remove %q: %v", id, err)
		}
	}
	for _, name := range []string{"", "../containers/a", "a?force=1"} {
		_, err := rt.Volume(t.Context(), name)
		wantKind(t, err, "volume", runtime.ErrNotFound)
		_, err = rt.EnsureVolume(t.Context(), name, nil)
		wantKind(t, err, "ensurevolume", runtime.ErrInvalid)
		if err := rt.RemoveVolume(t.Context(), name); err != nil {
			t.Errorf("remove volume %q: %v", name, err)
		}
	}
}

// TestHangingEngine proves that one caller's patience is not another's.
func TestHangingEngine(t *testing.T) {
	rt := answered(t, map[string]transport{"/_ping": hangs})
	patient, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := rt.Ping(patient)
		done <- err
	}()
	hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := rt.Inspect(hurried, anID)
	wantKind(t, err, "inspect", runtime.ErrCanceled)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap the context's error", err)
	}
	leave()
	wantKind(t, <-done, "ping", runtime.ErrCanceled)
}

// TestReplacedEngine proves that a version is negotiated again when another
// engine answers.
func TestReplacedEngine(t *testing.T) {
	version := "1.41"
	rt := answered(t, map[string]transport{"/_ping": func(r *http.Request) (*http.Response, error) {
		resp, err := reply(http.StatusOK, "OK")(r)
		resp.Header.Set("Api-Version", version)
		return resp, err
	}})
	for _, version = range []string{"1.41", "1.44", "1.24"} {
		info, err := rt.Ping(t.Context())
		if err != nil || info.APIVersion != version {
			t.Errorf("got %q, want %q: %v", info.APIVersion, version, err)
		}
	}
}

func TestNewRefusesWhatItCannotSpeak(t *testing.T) {
	for _, host := range []string{"ssh://user@host", "nonsense", "ftp://host"} {
		if _, err := New(Options{Host: host}); !errors.Is(err, runtime.ErrInvalid) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestNoEngine(t *testing.T) {
	rt, err := New(Options{Host: "unix://" + t.TempDir() + "/docker.sock"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rt.Ping(t.Context())
	wantKind(t, err, "ping", runtime.ErrUnavailable)
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
}

// wantKind checks an error against the rules of the contract.
func wantKind(t *testing.T, err error, op string, kind error) {
	t.Helper()
	var of *runtime.Error
	if !errors.As(err, &of) {
		t.Errorf("%s: %v is not an error of the contract", op, err)
		return
	}
	if of.Kind != kind || of.Op != op || of.Backend != "docker" {
		t.Errorf("got %s %s of kind %q, want %s of kind %q: %v", of.Backend, of.Op, of.Kind, op, kind, err)
	}
}
