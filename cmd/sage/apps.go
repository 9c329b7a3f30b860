package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"sage/httpapi/client"
)

func appsCommand() *cli.Command {
	return remote(&cli.Command{
		Name:  "apps",
		Usage: "list the apps that can be started",
		Flags: []cli.Flag{outputFlag()},
	}, func(c *cli.Context, sage *client.Client) error {
		if err := noArguments(c); err != nil {
			return err
		}
		found, err := sage.Catalog(c.Context)
		if err != nil {
			return err
		}
		return show(c, found.Apps, func(w io.Writer) error {
			var rows [][]string
			for _, app := range found.Apps {
				rows = append(rows, []string{app.ID, app.Title, strings.Join(app.Aliases, ", ")})
			}
			return writeTable(w, []string{"APP", "TITLE", "ALIASES"}, rows)
		})
	})
}
