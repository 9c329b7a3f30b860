// Command sage gives people desktop applications in the browser, on demand,
// from a catalog of container images.
//
// It is the daemon (sage serve), its client (sage ls, run, stop), and the
// workshop (sage build, doctor, catalog validate). Installed as docker-sage in
// a directory of Docker's CLI plugins it is the command "docker sage".
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newApp(os.Stdout, os.Stderr).RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "sage:", err)
		return exitCode(err)
	}
	return 0
}
