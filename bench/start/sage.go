package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/coder/websocket"

	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/rfb"
)

// daemon is a Sage of the benchmark's own.
type daemon struct {
	*client.Client
	cmd *exec.Cmd
}

// startDaemon starts one with the engine's data directory, so that it finds the
// desktops of its predecessor.
func startDaemon(binary string, e *engine) (*daemon, error) {
	cmd := exec.Command(binary, "serve", "--runtime", e.kind, "--runtime-host", e.host, "--listen", "127.0.0.1:0",
		"--data-dir", e.data, "--instance", "bench", "--container-base-name", "sage-bench-", "--log-level", "warn",
		"--no-client-timeout", "10m", "--port-range-start", "15000", "--port-range-end", "15500")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &daemon{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, base, ok := strings.Cut(strings.TrimSpace(line), "sage is ready: "); ok && err == nil {
		if d.Client, err = client.New(base, client.Options{}); err == nil {
			return d, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the daemon did not start: %q", line), err, d.stop())
}

func (d *daemon) stop() error {
	return errors.Join(d.cmd.Process.Signal(syscall.SIGTERM), d.cmd.Wait())
}

// start is a client's whole way to a desktop: POST, WebSocket, RFB greeting.
func (d *daemon) start(ctx context.Context, uid string) error {
	started, err := d.Start(ctx, uid, api.StartRequest{VM: "desktop"})
	if err != nil {
		return err
	}
	ws, _, err := websocket.Dial(ctx, d.Stream(started.URL)+"/vnc", &websocket.DialOptions{Subprotocols: []string{"binary"}})
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	_, err = rfb.ReadGreeting(websocket.NetConn(ctx, ws, websocket.MessageBinary))
	return err
}

func (d *daemon) remove(ctx context.Context, uid string) error {
	return d.Stop(context.WithoutCancel(ctx), uid, true)
}
