package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/coder/websocket"

	"sage/httpapi/api"
	"sage/rfb"
)

// daemon is a Sage of the benchmark's own.
type daemon struct {
	cmd  *exec.Cmd
	base string
	dir  string
}

func startDaemon(binary string, e *engine) (*daemon, error) {
	dir, err := os.MkdirTemp("", "sage-bench-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve", "--runtime", e.kind, "--runtime-host", e.host, "--listen", "127.0.0.1:0",
		"--data-dir", dir, "--instance", "bench", "--container-base-name", "sage-bench-", "--log-level", "warn",
		"--no-client-timeout", "10m", "--port-range-start", "15000", "--port-range-end", "15500")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	d := &daemon{cmd: cmd, dir: dir}
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, base, ok := strings.Cut(strings.TrimSpace(line), "sage is ready: "); ok && err == nil {
		d.base = base
		return d, nil
	}
	return nil, errors.Join(fmt.Errorf("the daemon did not start: %q", line), d.stop())
}

func (d *daemon) stop() error {
	return errors.Join(d.cmd.Process.Signal(syscall.SIGTERM), d.cmd.Wait(), os.RemoveAll(d.dir))
}

func (d *daemon) call(ctx context.Context, method, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// start is a client's whole way to a desktop: POST, WebSocket, RFB greeting.
func (d *daemon) start(ctx context.Context, uid string) error {
	var started api.StartResponse
	if err := d.call(ctx, http.MethodPost, "/api/vm/any/"+uid, api.StartRequest{VM: "desktop"}, &started); err != nil {
		return err
	}
	ws, _, err := websocket.Dial(ctx, d.base+started.URL+"/vnc", &websocket.DialOptions{Subprotocols: []string{"binary"}}) //nolint:bodyclose // The library says it never needs to be closed.
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	_, err = rfb.ReadGreeting(websocket.NetConn(ctx, ws, websocket.MessageBinary))
	return err
}

func (d *daemon) remove(ctx context.Context, uid string) error {
	return d.call(context.WithoutCancel(ctx), http.MethodDelete, "/api/vm/"+uid+"?purge=true", nil, nil)
}
