package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
)

// The exit codes beside 0.
const (
	exitFailed = 1
	// exitUsage is for what was typed, set or written wrongly, so that a CI job
	// can tell it from a machine that failed.
	exitUsage = 2
)

// usageError is a mistake of who called the program.
type usageError struct{ error }

// Unwrap gives the mistake itself.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// Categories of commands in the help text.
const (
	groupDaemon   = "Daemon"
	groupClient   = "Desktops of a running sage"
	groupWorkshop = "Images, catalog, machine"
)

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                 "sage",
		Usage:                "desktop applications in the browser, on demand, from container images",
		Version:              programVersion(),
		Writer:               stdout,
		ErrWriter:            stderr,
		HideVersion:          true,
		EnableBashCompletion: true,
		// run says the error, and chooses the exit code.
		ExitErrHandler: func(*cli.Context, error) {},
		Action:         group,
		Commands: []*cli.Command{
			serveCommand(),
			runCommand(), lsCommand(), stopCommand(),
			buildCommand(), pullCommand(), catalogCommand(), doctorCommand(),
			versionCommand(),
		},
	}
	refuseUsage(app.Commands)
	app.OnUsageError = onUsageError
	return app
}

// refuseUsage makes wrong flags of every command mistakes of the caller.
func refuseUsage(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		refuseUsage(c.Subcommands)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	name := c.App.Name
	if c.Command != nil && c.Command.HelpName != "" {
		name = c.Command.HelpName
	}
	return usagef("%w: see %s --help", err, name)
}

// group is the action of what only has commands below it.
func group(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("%q is not a command: see %s --help", c.Args().First(), c.Command.HelpName)
	}
	if c.Command.HelpName == c.App.HelpName {
		return cli.ShowAppHelp(c)
	}
	return cli.ShowSubcommandHelp(c)
}

// argument is the one argument of a command that needs exactly one.
func argument(c *cli.Context, name string) (string, error) {
	switch c.NArg() {
	case 0:
		return "", usagef("%s is missing: see %s --help", name, c.Command.HelpName)
	case 1:
		return c.Args().First(), nil
	default:
		return "", usagef("%q is one argument too many: see %s --help", c.Args().Get(1), c.Command.HelpName)
	}
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("%q is one argument too many: see %s --help", c.Args().First(), c.Command.HelpName)
	}
	return nil
}
