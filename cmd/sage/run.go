package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/session"
)

func runCommand() *cli.Command {
	return remote(&cli.Command{
		Name:      "run",
		Usage:     "start a desktop, wait for it, print its address and open it",
		ArgsUsage: "APP",
		Description: "A desktop that runs under that UID already is found. With --uid, APP may be left out to bring\n" +
			"back what the UID had. On a terminal the desktop is opened in the browser.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "uid", Usage: "`UID` of the desktop; a new one, if not given"},
			&cli.GenericFlag{Name: "env", Value: &pairs{}, Usage: "`NAME=VALUE` of the app's environment"},
			&cli.BoolFlag{Name: "open", Usage: "open it in the browser; --open=false never does", DefaultText: "on a terminal"},
			outputFlag(),
		},
	}, runDesktop)
}

func runDesktop(c *cli.Context, sage *client.Client) error {
	app, err := optionalArgument(c)
	if err == nil && app == "" && c.String("uid") == "" {
		_, err = argument(c, "APP")
	}
	if err != nil {
		return err
	}
	env, _ := c.Generic("env").(*pairs)
	uid := cmp.Or(c.String("uid"), session.NewUID())
	at, err := bringUp(c, sage, uid, func(ctx context.Context) (api.StartResponse, error) {
		return sage.Start(ctx, uid, api.StartRequest{VM: app, Env: env.values})
	})
	if err != nil || !wantsBrowser(c) {
		return err
	}
	// The desktop runs, and where it is has been said: that is what was asked for.
	if err := openBrowser(at.Page); err != nil {
		fmt.Fprintln(c.App.ErrWriter, "sage:", err)
	}
	return nil
}

// wantsBrowser is what was said, and else whether a person reads the answer.
func wantsBrowser(c *cli.Context) bool {
	if c.IsSet("open") {
		return c.Bool("open")
	}
	return onTerminal(c.App.Writer) && !wantsJSON(c)
}
