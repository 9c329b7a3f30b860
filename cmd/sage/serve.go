package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"sage/cmd/internal/daemon"
)

func serveCommand() *cli.Command {
	return withFile(&cli.Command{
		Name:     "serve",
		Usage:    "run the daemon: the page, the API and the streams",
		Category: groupDaemon,
		Flags:    slices.Concat(engineFlags(), catalogFlags(), serverFlags(), desktopFlags()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg, err := config(c)
			if err != nil {
				return err
			}
			if err := cfg.Validate(); err != nil {
				return usageError{err}
			}
			d, err := daemon.New(c.Context, cfg)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "sage is ready: http://%s\n", d.Addr())
			return d.Run(c.Context)
		},
	})
}
