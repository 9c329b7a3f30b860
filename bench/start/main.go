// Command start measures what Sage adds to a container engine, in one run and as
// ratios: the time from a POST to the desktop's first bytes against the same
// container started with the engine's own program and dialled directly, ten
// starts at once against one, how quick Sage answers while desktops start, and
// how long a new daemon takes to find the desktops of its predecessor.
//
// It runs the program that `make build` leaves (SAGE_BENCH_BINARY) as a daemon
// of its own for each engine that is named in SAGE_TEST_ENGINES.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	binary := os.Getenv("SAGE_BENCH_BINARY")
	if binary == "" {
		binary = "bin/sage"
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "engine\tmeasure\tsage\tengine's own program\tratio (median of pairs, min..max)")
	status := 0
	for name := range strings.SplitSeq(os.Getenv("SAGE_TEST_ENGINES"), ",") {
		if err := measure(ctx, strings.TrimSpace(name), binary, out); err != nil {
			fmt.Fprintf(os.Stderr, "start: %s: %v\n", name, err)
			status = 1
		}
		if err := out.Flush(); err != nil {
			return 1
		}
	}
	return status
}
