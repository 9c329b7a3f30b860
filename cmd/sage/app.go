package main

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// version is set by the linker; see the Makefile.
var version = ""

// The exit codes beside 0.
const (
	exitFailed = 1
	// exitUsage is for what was typed, set or written wrongly, so that a CI job
	// can tell it from a machine that failed.
	exitUsage = 2
)

// usageError is a mistake of who called the program.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:                 "sage",
		Usage:                "desktop applications in the browser, on demand, from container images",
		Version:              programVersion(),
		Writer:               stdout,
		ErrWriter:            stderr,
		HideVersion:          true,
		EnableBashCompletion: true,
		// run says the error, and chooses the exit code.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return usageError{err} },
		Commands:       []*cli.Command{serveCommand()},
	}
}

// programVersion is the linker's word, else what the module system knows.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
