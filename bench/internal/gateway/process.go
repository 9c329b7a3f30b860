//go:build linux

package gateway

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	goruntime "runtime"
	"runtime/debug"
	"strconv"
	"time"

	"sage/bench/internal/proc"
)

const (
	// Mode is the first argument of a program that is to be the gateway; the rest is for [Serve].
	Mode = "gateway"
	// Path is where the gateway serves its streams.
	Path = "/stream/measured/vnc"

	collect, collected = "collect", "collected"
)

// Process is a gateway that runs.
type Process struct {
	*proc.Process
	Address string
}

// Start starts a gateway by running this program again, whose main must give [Mode] to [Serve].
func Start(ctx context.Context, endpoint Endpoint) (*Process, error) {
	p, err := proc.Self(ctx, Mode, "-protocol", endpoint.Protocol, "-address", endpoint.Address, "-path", endpoint.Path,
		"-understand="+strconv.FormatBool(endpoint.Understand))
	if err != nil {
		return nil, err
	}
	address, err := p.Line()
	if err != nil {
		p.Stop()
		return nil, err
	}
	return &Process{p, address}, nil
}

// Collect makes the gateway collect its garbage and give back what is free, so that what it needs can be told from what
// it has not thrown away yet.
func (p *Process) Collect() error {
	if answer, err := p.Ask(collect); err != nil || answer != collected {
		return errors.Join(fmt.Errorf("the gateway answered %q", answer), err)
	}
	return nil
}

// Serve is the gateway's process: it says its address, does what it is told on in, and ends with it.
func Serve(args []string, in io.Reader, out io.Writer) error {
	var endpoint Endpoint
	flags := flag.NewFlagSet(Mode, flag.ContinueOnError)
	flags.StringVar(&endpoint.Protocol, "protocol", "", "")
	flags.StringVar(&endpoint.Address, "address", "", "")
	flags.StringVar(&endpoint.Path, "path", "", "")
	flags.BoolVar(&endpoint.Understand, "understand", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	gateway := newGateway(endpoint)
	// The server is as the daemon's.
	mux := http.NewServeMux()
	mux.Handle("GET /stream/{token}/{endpoint}", gateway)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintln(out, listener.Addr())
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if lines.Text() == collect {
			// Twice: what has a finalizer or lies in a pool goes only then.
			goruntime.GC()
			goruntime.GC()
			debug.FreeOSMemory()
			fmt.Fprintln(out, collected)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = errors.Join(gateway.Shutdown(ctx), server.Close())
	<-served
	return err
}
