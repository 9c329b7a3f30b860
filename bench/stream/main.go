//go:build linux

// Command stream measures the stream gateway beside what else can stand between a viewer and a VNC server: nothing,
// nginx's TCP proxy, websockify, and nginx in front of websockify. Every figure is a ratio within one round of one run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sage/bench/internal/gateway"
)

// options of a run.
type options struct {
	rounds, trips int           // Of the table of whole screens.
	span          time.Duration // How long they are asked for in a round.
	plays         int           // Of the recording.
	streams       int           // How many viewers it has at once.
	kinds         []kind
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "stream:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case gateway.Mode:
			return gateway.Serve(args[1:], in, out)
		case viewerMode:
			return serveViewer(args[1:], in, out)
		case playerMode:
			return servePlayer(in, out)
		case audienceMode:
			return serveAudience(args[1:], in, out)
		}
	}
	var o options
	var rows string
	flags := flag.NewFlagSet("stream", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 15, "how often whole screens are measured in each row; 0 leaves that table out")
	flags.DurationVar(&o.span, "span", 700*time.Millisecond, "how long whole screens are asked for in a round")
	flags.IntVar(&o.trips, "trips", 1500, "how many round trips are made in a round")
	flags.IntVar(&o.plays, "plays", 1, "how often the recording is played in each row; 0 leaves that table out")
	flags.IntVar(&o.streams, "streams", 50, "how many viewers the recording has at once")
	flags.StringVar(&rows, "rows", "", "the rows to measure, with commas between them; default all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if o.kinds, err = chosen(rows); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.rounds > 0 {
		if err := measureRaw(ctx, o, out); err != nil {
			return err
		}
	}
	if o.plays > 0 {
		return measureReplay(ctx, o, out)
	}
	return nil
}
