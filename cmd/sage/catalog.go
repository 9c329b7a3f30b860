package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/go-multierror"
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
			Name:      "list",
			Usage:     "list the apps of a catalog file; \"sage apps\" lists those of a running sage",
			ArgsUsage: "[FILE]",
			Flags:     append(catalogFlags()[:1:1], outputFlag()),
			Action:    listCatalog,
		}, {
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
			fmt.Fprintf(c.App.ErrWriter, "%s: %s\n", file, count(len(multierror.Append(nil, err).Errors), "problem"))
			continue
		}
		for _, w := range found.Warnings() {
			fmt.Fprintf(c.App.ErrWriter, "%s: warning: %s\n", file, w)
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
	before, err := catalog.Load(c.Args().Get(0))
	if err != nil {
		return usageError{err}
	}
	after, err := catalog.Load(c.Args().Get(1))
	if err != nil {
		return usageError{err}
	}
	changes := catalog.Diff(before, after)
	return show(c, changes, func(w io.Writer) error {
		if len(changes) == 0 {
			_, err := fmt.Fprintln(w, "no difference")
			return err
		}
		for _, change := range changes {
			if _, err := fmt.Fprintln(w, change); err != nil {
				return err
			}
		}
		return nil
	})
}

// listedApp is an app as its catalog file has it.
type listedApp struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Aliases []string `json:"aliases"`
	Image   string   `json:"image"`
}

func listCatalog(c *cli.Context) error {
	path, err := optionalArgument(c)
	if err != nil {
		return err
	}
	found, err := catalog.Load(cmp.Or(path, c.String("catalog")))
	if err != nil {
		return usageError{err}
	}
	apps := []listedApp{}
	for _, app := range found.Apps {
		apps = append(apps, listedApp{app.ID, app.Title, append([]string{}, app.Aliases...), app.Image})
	}
	return show(c, apps, func(w io.Writer) error {
		var rows [][]string
		for _, app := range apps {
			rows = append(rows, []string{app.ID, app.Title, strings.Join(app.Aliases, ", "), app.Image})
		}
		return writeTable(w, []string{"APP", "TITLE", "ALIASES", "IMAGE"}, rows)
	})
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
