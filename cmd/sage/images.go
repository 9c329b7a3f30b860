package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"sage/catalog"
	"sage/cmd/internal/daemon"
	"sage/runtime"
	"sage/session"
)

func buildCommand() *cli.Command {
	return imagesCommand("build", "build the images of apps that are missing or outdated", true)
}

func pullCommand() *cli.Command {
	return imagesCommand("pull", "pull the images of apps that are not built here", false)
}

// imagesCommand makes the command for the apps that have a build, or for those
// that have none.
func imagesCommand(name, usage string, builds bool) *cli.Command {
	return withFile(&cli.Command{
		Name:      name,
		Usage:     usage + "; all of the catalog's, if none is named",
		Category:  groupWorkshop,
		ArgsUsage: "[APP...]",
		Flags:     slices.Concat(engineFlags(), catalogFlags()),
		Action: func(c *cli.Context) error {
			args, err := buildArgs(c)
			if err != nil {
				return err
			}
			apps, err := loadCatalog(c)
			if err != nil {
				return err
			}
			if err := checkBuildArgs(apps, args); err != nil {
				return err
			}
			chosen, err := chooseApps(apps, c.Args().Slice(), builds)
			if err != nil {
				return err
			}
			if len(chosen) == 0 {
				_, err := fmt.Fprintf(c.App.Writer, "nothing to %s: %s has no such app\n", name, c.String("catalog"))
				return err
			}
			for _, w := range apps.BuildWarnings(args) {
				if builds {
					fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", w)
				}
			}
			rt, info, err := openRuntime(c)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "engine: %s %s at %s\n", info.Backend, info.Version, info.Host)
			images := session.NewImages(rt, func() *catalog.Catalog { return apps }, args)
			return errors.Join(bringAll(c.Context, rt, images, chosen, newDisplay(c.App.Writer)), rt.Close())
		},
	})
}

// openRuntime finds the engine that the flags name.
func openRuntime(c *cli.Context) (runtime.Runtime, runtime.Info, error) {
	return daemon.OpenRuntime(c.Context, engine(c), slog.New(slog.NewTextHandler(c.App.ErrWriter, nil)))
}

// checkBuildArgs refuses arguments that no app's build has: they would change
// nothing.
func checkBuildArgs(apps *catalog.Catalog, args map[string]string) error {
	known := map[string]bool{}
	for _, app := range apps.Apps {
		if app.Build == nil {
			continue
		}
		for name := range app.Build.Args {
			known[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if !known[name] {
			return usagef("build-arg %s: no build of the catalog has it; they have: %s",
				name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// chooseApps gives the named apps, or all, whose images are built (or pulled,
// for those without a build): every app after the one that it is built from.
func chooseApps(apps *catalog.Catalog, names []string, builds bool) ([]*catalog.App, error) {
	var wanted []*catalog.App
	for i := range apps.Apps {
		if len(names) == 0 && (apps.Apps[i].Build != nil) == builds {
			wanted = append(wanted, &apps.Apps[i])
		}
	}
	for _, name := range names {
		app, ok := apps.App(name)
		switch {
		case !ok:
			return nil, usagef("app %q is not in the catalog: it has %s", name, strings.Join(appIDs(apps), ", "))
		case builds && app.Build == nil:
			return nil, usagef("app %s is not built here: use sage pull %s", app.ID, name)
		case !builds && app.Build != nil:
			return nil, usagef("app %s is built here: use sage build %s", app.ID, name)
		}
		wanted = append(wanted, app)
	}
	var ordered []*catalog.App
	for _, app := range wanted {
		for _, step := range slices.Backward(lineage(apps, app)) {
			if !slices.Contains(ordered, step) {
				ordered = append(ordered, step)
			}
		}
	}
	return ordered, nil
}

// lineage is app and what it is built from, one after the other. The catalog
// has no circles.
func lineage(apps *catalog.Catalog, app *catalog.App) []*catalog.App {
	line := []*catalog.App{app}
	for app.Build != nil && app.Build.From != "" {
		base, ok := apps.App(app.Build.From)
		if !ok {
			break
		}
		line, app = append(line, base), base
	}
	return line
}

func appIDs(apps *catalog.Catalog) []string {
	ids := make([]string, len(apps.Apps))
	for i, app := range apps.Apps {
		ids[i] = app.ID
	}
	return ids
}

// bringAll brings the images of apps one after the other, up to the first that
// cannot be had.
func bringAll(ctx context.Context, rt runtime.Runtime, images *session.Images, apps []*catalog.App, show display) error {
	for _, app := range apps {
		before, err := imageID(ctx, rt, app.Image)
		if err != nil {
			return err
		}
		began := time.Now()
		show.begin(app.ID)
		err = images.Update(ctx, app, func(_ string, p runtime.Progress) { show.progress(p) })
		after := ""
		if err == nil {
			after, err = imageID(ctx, rt, app.Image)
		}
		if err != nil {
			show.end("failed")
			return fmt.Errorf("image of app %s: %w", app.ID, err)
		}
		show.end(outcome(app, before, after, time.Since(began)))
	}
	return nil
}

// imageID is empty for an image that is not there.
func imageID(ctx context.Context, rt runtime.Runtime, ref string) (string, error) {
	found, err := rt.Image(ctx, ref)
	if errors.Is(err, runtime.ErrImageNotFound) {
		return "", nil
	}
	return found.ID, err
}

func outcome(app *catalog.App, before, after string, took time.Duration) string {
	did := "pulled"
	if app.Build != nil {
		did = "built"
	}
	switch before {
	case after:
		return app.Image + " is up to date"
	case "":
		return fmt.Sprintf("%s was %s in %s", app.Image, did, took.Round(time.Second/10))
	default:
		return fmt.Sprintf("%s was %s anew in %s", app.Image, did, took.Round(time.Second/10))
	}
}
