package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serveSupervised is the program as a service manager starts it, in a process of its own: only that one's number may
// stand in LISTEN_PID.
func serveSupervised() int {
	if err := os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())); err != nil {
		return exitFailed
	}
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	defer stop()
	return run(ctx, []string{"sage", "serve"}, os.Stdout, os.Stderr)
}

// TestSupervised plays the service manager: it binds the address, hears that the daemon is ready, lives, reloads and
// goes down, and is answered on that address from the beginning.
func TestSupervised(t *testing.T) {
	dir, err := os.MkdirTemp("", "sage") // The path of a socket is short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	bound, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	catalog := write(t, "catalog.yaml", "version: 1\napps:\n  - id: one\n    title: One\n    image: localhost/x/one:1\n    endpoints: [{name: vnc, port: 5900, protocol: rfb}]\n")

	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program)
	cmd.ExtraFiles = []*os.File{bound}
	cmd.Stderr = &said
	cmd.Env = append(os.Environ(), "SAGE_TEST_SUPERVISED=1", "LISTEN_FDS=1", "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "WATCHDOG_USEC=1000000",
		"SAGE_RUNTIME=docker", "SAGE_RUNTIME_HOST=unix://"+dockerStub(t, filepath.Join(dir, "docker.sock")),
		"SAGE_CATALOG="+catalog, "SAGE_DATA_DIR="+filepath.Join(dir, "data"), "SAGE_LISTEN=192.0.2.1:1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hear := func(want string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			if err := told.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			n, err := told.Read(buf)
			if err != nil {
				cancel()
				_ = cmd.Wait()
				t.Fatalf("%s was not told: %v\n%s", want, err, said.String())
			}
			if strings.HasPrefix(string(buf[:n]), want) {
				return
			}
		}
	}
	hear("READY=1")
	hear("WATCHDOG=1")
	hear("WATCHDOG=1")
	resp, err := http.Get("http://" + listener.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hear("RELOADING=1\nMONOTONIC_USEC=")
	hear("READY=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said.String())
	}
	if !strings.Contains(said.String(), "catalog reloaded") {
		t.Errorf("nothing was reloaded:\n%s", said.String())
	}
}

// dockerStub answers like a Docker Engine without containers.
func dockerStub(t *testing.T, socket string) string {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.45")
		w.Header().Set("Ostype", "linux")
		body := any(map[string]any{})
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			_, _ = w.Write([]byte("OK"))
			return
		case strings.HasSuffix(r.URL.Path, "/version"):
			body = map[string]any{"Version": "99.1", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux"}
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			body = []any{}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return socket
}
