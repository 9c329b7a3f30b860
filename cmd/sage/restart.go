package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"sage/httpapi/api"
	"sage/httpapi/client"
)

func restartCommand() *cli.Command {
	return remote(&cli.Command{
		Name:      "restart",
		Usage:     "stop a desktop and start it anew with its saved settings",
		ArgsUsage: "UID",
		Description: "Its home stays, and whoever looks at it finds the new one. A desktop that does not run is\n" +
			"started.",
		Flags: []cli.Flag{outputFlag()},
	}, func(c *cli.Context, sage *client.Client) error {
		uid, err := argument(c, "UID")
		if err != nil {
			return err
		}
		_, err = bringUp(c, sage, uid, func(ctx context.Context) (api.StartResponse, error) { return sage.Restart(ctx, uid) })
		return err
	})
}
