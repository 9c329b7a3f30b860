package main

import (
	"io"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"github.com/urfave/cli/v2"

	"sage/httpapi/api"
	"sage/httpapi/client"
)

func lsCommand() *cli.Command {
	return remote(&cli.Command{
		Name:    "ls",
		Aliases: []string{"list"},
		Usage:   "list the desktops, in whatever state",
		Flags:   []cli.Flag{outputFlag()},
	}, func(c *cli.Context, sage *client.Client) error {
		if err := noArguments(c); err != nil {
			return err
		}
		desktops, err := sage.Desktops(c.Context)
		if err != nil {
			return err
		}
		return show(c, desktops, func(w io.Writer) error { return writeDesktops(w, sage, desktops, time.Now()) })
	})
}

func writeDesktops(w io.Writer, sage *client.Client, desktops []api.Desktop, now time.Time) error {
	var rows [][]string
	for _, d := range desktops {
		age := "-" // It waits for its turn.
		if !d.CreatedAt.IsZero() {
			age = units.HumanDuration(now.Sub(d.CreatedAt))
		}
		rows = append(rows, []string{d.UID, d.App, d.State, strconv.Itoa(d.Clients), age, sage.Page(d.UID)})
	}
	return writeTable(w, []string{"UID", "APP", "STATE", "CLIENTS", "AGE", "URL"}, rows)
}
