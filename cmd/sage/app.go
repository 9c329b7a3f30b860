package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

// Categories of commands in the help text.
const (
	groupDaemon   = "Daemon"
	groupClient   = "Desktops of a running sage"
	groupWorkshop = "Images, catalog, machine"
)

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:        "sage",
		Usage:       "desktop applications in the browser, on demand, from container images",
		Description: exitTable(),
		Version:     programVersion(),
		Writer:      stdout,
		ErrWriter:   stderr,
		HideVersion: true,
		// run says the error, and chooses the exit code.
		ExitErrHandler: func(*cli.Context, error) {},
		Action:         group,
		Commands: []*cli.Command{
			serveCommand(),
			runCommand(), openCommand(), lsCommand(), statsCommand(), logsCommand(), restartCommand(), stopCommand(), appsCommand(),
			buildCommand(), pullCommand(), catalogCommand(), doctorCommand(),
			versionCommand(), completionCommand(), manCommand(),
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

// optionalArgument is the one argument of a command that can do without, or "".
func optionalArgument(c *cli.Context) (string, error) {
	if !c.Args().Present() {
		return "", nil
	}
	return argument(c, "")
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("%q is one argument too many: see %s --help", c.Args().First(), c.Command.HelpName)
	}
	return nil
}
