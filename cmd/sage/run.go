package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/session"
)

// phaseInterval is how often a start that takes long is asked what it does.
const phaseInterval = time.Second

func runCommand() *cli.Command {
	return remote(&cli.Command{
		Name:      "run",
		Usage:     "start a desktop and say where it is",
		ArgsUsage: "APP",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "uid", Usage: "`UID` of the desktop; a new one, if not given"},
			&cli.GenericFlag{Name: "env", Value: &pairs{}, Usage: "`NAME=VALUE` of the app's environment"},
		},
	}, func(c *cli.Context, sage *client.Client) error {
		app, err := argument(c, "APP")
		if err != nil {
			return err
		}
		env, _ := c.Generic("env").(*pairs)
		uid := cmp.Or(c.String("uid"), session.NewUID())
		done := make(chan struct{})
		told := make(chan struct{})
		go func() {
			defer close(told)
			tellPhases(c.Context, c.App.ErrWriter, sage, uid, done)
		}()
		started, err := sage.Start(c.Context, uid, api.StartRequest{VM: app, Env: env.values})
		close(done)
		<-told
		switch {
		case c.Context.Err() != nil:
			return fmt.Errorf("not waited for: the start goes on, \"sage stop %s\" ends it", uid)
		case err != nil:
			return withLog(err)
		}
		_, err = fmt.Fprintf(c.App.Writer, "uid     %s\npage    %s\nstream  %s\n",
			started.UID, sage.Page(started.UID), sage.Stream(started.URL))
		return err
	})
}

// tellPhases writes what a start does, where it takes long enough to ask.
func tellPhases(ctx context.Context, w io.Writer, sage *client.Client, uid string, done <-chan struct{}) {
	tick := time.NewTicker(phaseInterval)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d, err := sage.Describe(ctx, uid)
		if err != nil {
			continue // The start itself says what is wrong.
		}
		phase := strings.TrimSpace(d.State + " " + d.Progress)
		if phase != last {
			last = phase
			fmt.Fprintln(w, phase)
		}
	}
}

// withLog adds the last lines of a desktop that did not come up.
func withLog(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Reason == nil || len(refused.Reason.Log) == 0 {
		return err
	}
	return fmt.Errorf("%w; the last lines of its log:\n  %s", err, strings.Join(refused.Reason.Log, "\n  "))
}
