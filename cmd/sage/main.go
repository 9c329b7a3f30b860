// Command sage gives people desktop applications in the browser, on demand,
// from a catalog of container images.
//
// It is the daemon (sage serve), its client (sage run, open, ls, stats, logs,
// stop, apps), and the workshop (sage build, pull, doctor, catalog). Installed as
// docker-sage in a directory of Docker's CLI plugins it is the command "docker
// sage".
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// endSignals ask the program to end.
func endSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// run does what args ask for, the program's name first, and gives the exit
// code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	stdout, stderr = asTerminal(stdout), asTerminal(stderr)
	app := newApp(stdout, stderr)
	if words, asks := asksCompletion(args); asks {
		return failed(stderr, complete(ctx, app, words, stdout))
	}
	if isPlugin(args[0]) {
		if asksMetadata(args) {
			return failed(stderr, writeMetadata(stdout))
		}
		var err error
		if args, err = pluginArgs(args); err != nil {
			return failed(stderr, err)
		}
		app.Name, app.HelpName = "docker "+pluginName, "docker "+pluginName
	}
	if err := refuseSecrets(args[1:]); err != nil {
		return failed(stderr, err)
	}
	return failed(stderr, app.RunContext(ctx, flagsFirst(app, args)))
}

// failed says the error, if there is one, and gives the exit code.
func failed(stderr io.Writer, err error) int {
	if err != nil {
		fmt.Fprintln(stderr, "sage:", err)
	}
	return exitCode(err)
}
