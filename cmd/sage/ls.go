package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
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
		Usage:   "list the desktops that run",
		Flags:   []cli.Flag{outputFlag()},
	}, func(c *cli.Context, sage *client.Client) error {
		if err := noArguments(c); err != nil {
			return err
		}
		asJSON, err := wantsJSON(c)
		if err != nil {
			return err
		}
		desktops, err := describeAll(c.Context, sage)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(c.App.Writer, desktops)
		}
		return writeDesktops(c.App.Writer, sage, desktops, time.Now())
	})
}

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "`FORM` of the output: table or json"}
}

func wantsJSON(c *cli.Context) (bool, error) {
	switch form := c.String("output"); form {
	case "table":
		return false, nil
	case "json":
		return true, nil
	default:
		return false, usagef("output %q: use table or json", form)
	}
}

func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// describeAll asks for every desktop; those that end meanwhile are left out.
func describeAll(ctx context.Context, sage *client.Client) ([]api.Desktop, error) {
	uids, err := sage.List(ctx)
	if err != nil {
		return nil, err
	}
	desktops := make([]api.Desktop, 0, len(uids))
	for _, uid := range uids {
		d, err := sage.Describe(ctx, uid)
		if client.IsCode(err, client.CodeNotRunning) {
			continue
		}
		if err != nil {
			return nil, err
		}
		desktops = append(desktops, d)
	}
	return desktops, nil
}

func writeDesktops(w io.Writer, sage *client.Client, desktops []api.Desktop, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "UID\tAPP\tSTATE\tCLIENTS\tAGE\tURL")
	for _, d := range desktops {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n",
			d.UID, d.App, d.State, d.Clients, units.HumanDuration(now.Sub(d.CreatedAt)), sage.Page(d.UID))
	}
	return table.Flush()
}
