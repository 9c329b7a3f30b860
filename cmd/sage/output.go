package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
)

// The forms that data is printed in.
const (
	formTable = "table"
	formJSON  = "json"
)

func outputFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "output", Aliases: []string{"o"}, Value: formTable, Usage: "`FORM` of the output: table or json",
		Action: func(_ *cli.Context, form string) error {
			if form != formTable && form != formJSON {
				return usagef("output %q: use table or json", form)
			}
			return nil
		},
	}
}

func wantsJSON(c *cli.Context) bool { return c.String("output") == formJSON }

// show prints data in the form that the caller wants: value as it is in JSON, or
// what table writes for people.
func show(c *cli.Context, value any, table func(io.Writer) error) error {
	if !wantsJSON(c) {
		return table(c.App.Writer)
	}
	e := json.NewEncoder(c.App.Writer)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// writeTable writes rows below a heading, in columns.
func writeTable(w io.Writer, heading []string, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = visible(cell, "")
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}
