package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

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

// place is where a desktop is.
type place struct {
	UID    string `json:"uid"`
	Page   string `json:"page"`
	Stream string `json:"stream"`
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
	end := followStart(c.Context, sage, uid, newDisplay(c.App.ErrWriter))
	started, err := sage.Start(c.Context, uid, api.StartRequest{VM: app, Env: env.values})
	switch {
	case c.Context.Err() != nil:
		end("not waited for")
		return fmt.Errorf("not waited for: the start goes on, \"sage stop %s\" ends it", uid)
	case err != nil:
		end("failed")
		return withLog(err)
	}
	end("ready")
	at := place{started.UID, sage.Page(started.UID), sage.Stream(started.URL)}
	err = show(c, at, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "uid     %s\npage    %s\nstream  %s\n", at.UID, at.Page, at.Stream)
		return err
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

// withLog adds the last lines of a desktop that did not come up.
func withLog(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Reason == nil || len(refused.Reason.Log) == 0 {
		return err
	}
	return fmt.Errorf("%w; the last lines of its log:\n  %s", err, strings.Join(refused.Reason.Log, "\n  "))
}
