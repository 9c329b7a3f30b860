package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"sage/catalog"
)

func catalogCommand() *cli.Command {
	return &cli.Command{
		Name:     "catalog",
		Usage:    "look at catalog files",
		Category: groupWorkshop,
		Action:   group,
		Subcommands: []*cli.Command{{
			Name:      "validate",
			Usage:     "name every problem of catalog files; the exit code is 0 without any",
			ArgsUsage: "FILE...",
			Action:    validateCatalogs,
		}},
	}
}

func validateCatalogs(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef("FILE is missing: see %s --help", c.Command.HelpName)
	}
	bad := 0
	for _, file := range c.Args().Slice() {
		found, err := catalog.Load(file)
		if err != nil {
			bad++
			// As it is: every problem begins with its place, for editors and CI.
			fmt.Fprintln(c.App.ErrWriter, err)
			fmt.Fprintf(c.App.ErrWriter, "%s: %s\n", file, count(len(each(err)), "problem"))
			continue
		}
		if _, err := fmt.Fprintf(c.App.Writer, "%s: %s, no problem\n", file, count(len(found.Apps), "app")); err != nil {
			return err
		}
	}
	if bad > 0 {
		return usagef("%s cannot be used", count(bad, "catalog"))
	}
	return nil
}

// loadCatalog reads the catalog that the flags name; what is wrong with it is
// its writer's mistake.
func loadCatalog(c *cli.Context) (*catalog.Catalog, error) {
	found, err := catalog.Load(c.String("catalog"))
	if err != nil {
		return nil, usagef("the catalog cannot be used: choose another one with --catalog or SAGE_CATALOG, or mend it:\n  %s",
			strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return found, nil
}

// count puts a number before a noun whose plural has an s.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
