package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"sage/httpapi/client"
)

func stopCommand() *cli.Command {
	return remote(&cli.Command{
		Name:      "stop",
		Usage:     "stop a desktop; its home stays",
		ArgsUsage: "UID",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: "purge", Usage: "delete the home and the saved settings, too"}},
	}, func(c *cli.Context, sage *client.Client) error {
		uid, err := argument(c, "UID")
		if err != nil {
			return err
		}
		if err := sage.Stop(c.Context, uid, c.Bool("purge")); err != nil {
			return err
		}
		_, err = fmt.Fprintln(c.App.Writer, uid)
		return err
	})
}
