//go:build linux

// Command density measures what a stream costs the gateway that carries nothing at the time: memory, open files,
// processor time with pings on, and the time to open it; for few and for many streams, since the cost of one must not
// grow with their number.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sage/bench/internal/gateway"
)

// spareFiles is what a process opens beside its streams.
const spareFiles = 100

// filesPerStream is what a stream takes in the gateway: one to the viewer, one to the desktop.
const filesPerStream = 2

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "density:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case gateway.Mode:
			return gateway.Serve(args[1:], in, out)
		case serverMode:
			return serveQuietly(in, out)
		case viewersMode:
			return serveViewers(args[1:], in, out)
		}
	}
	flags := flag.NewFlagSet("density", flag.ContinueOnError)
	list := flags.String("streams", "100,1000,5000", "how many streams, one after the other")
	quiet := flags.Duration("quiet", 45*time.Second, "how long they are quiet; pings come every 20 s")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var rows []*row
	for text := range strings.SplitSeq(*list, ",") {
		streams, err := strconv.Atoi(text)
		if err != nil || streams < 1 {
			return fmt.Errorf("%q is no number of streams", text)
		}
		if streams, err = affordable(streams); err != nil {
			return err
		}
		r, err := measure(ctx, streams, *quiet)
		if err != nil {
			return fmt.Errorf("%d streams: %w", streams, err)
		}
		rows = append(rows, r)
	}
	return printRows(out, rows, *quiet)
}

// affordable gives as many streams as the limit of open files allows to the gateway, at most those that are wanted. Go
// raises the limit to the hard one when a program starts.
func affordable(streams int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	files := int(min(limit.Max, 1<<30))
	if n := (files - spareFiles) / filesPerStream; n < streams {
		streams = n
	}
	if streams < 1 {
		return 0, fmt.Errorf("a limit of %d open files allows no stream", files)
	}
	return streams, nil
}
