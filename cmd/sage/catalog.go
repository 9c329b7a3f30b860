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
		}, {
			Name:   "schema",
			Usage:  "print the JSON Schema of catalog files, for editors",
			Action: printSchema,
		}, {
			Name:      "diff",
			Usage:     "say what is different in another catalog file; the exit code is 0 in any case, if both can be used",
			ArgsUsage: "OLD NEW",
			Flags:     []cli.Flag{outputFlag()},
			Action:    diffCatalogs,
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

func printSchema(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	_, err := c.App.Writer.Write(catalog.Schema())
	return err
}

func diffCatalogs(c *cli.Context) error {
	if c.NArg() != 2 {
		return usagef("give two files, OLD and NEW: see %s --help", c.Command.HelpName)
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	before, err := catalog.Load(c.Args().Get(0))
	if err != nil {
		return usageError{err}
	}
	after, err := catalog.Load(c.Args().Get(1))
	if err != nil {
		return usageError{err}
	}
	changes := catalog.Diff(before, after)
	if asJSON {
		return writeJSON(c.App.Writer, changes)
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintln(c.App.Writer, "no difference")
		return err
	}
	for _, change := range changes {
		if _, err := fmt.Fprintln(c.App.Writer, change); err != nil {
			return err
		}
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
