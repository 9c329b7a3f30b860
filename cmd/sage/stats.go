package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"github.com/urfave/cli/v2"

	"sage/httpapi/api"
	"sage/httpapi/client"
)

// statsInterval is how often live figures are asked for.
const statsInterval = 2 * time.Second

// use is what one desktop uses.
type use struct {
	UID string `json:"uid"`
	App string `json:"app"`
	api.Stats
}

func statsCommand() *cli.Command {
	return remote(&cli.Command{
		Name:        "stats",
		Usage:       "tell what desktops use; all of them, if none is named",
		ArgsUsage:   "[UID]",
		Description: "On a terminal the figures are renewed until Ctrl-C, elsewhere they are printed once.",
		Flags:       []cli.Flag{outputFlag(), &cli.BoolFlag{Name: "once", Usage: "print the figures once on a terminal, too"}},
	}, func(c *cli.Context, sage *client.Client) error {
		uid, err := optionalArgument(c)
		if err != nil {
			return err
		}
		if wantsJSON(c) || c.Bool("once") || !onTerminal(c.App.Writer) {
			used, err := usage(c.Context, sage, uid)
			if err != nil {
				return err
			}
			return show(c, used, func(w io.Writer) error { return writeUsage(w, used) })
		}
		return watchUsage(c.Context, c.App.Writer, statsInterval, func(ctx context.Context) ([]use, error) { return usage(ctx, sage, uid) })
	})
}

// usage asks for one desktop, or for all that run if uid is empty; those that
// end meanwhile are left out.
func usage(ctx context.Context, sage *client.Client, uid string) ([]use, error) {
	var desktops []api.Desktop
	var err error
	if uid == "" {
		desktops, err = sage.Desktops(ctx)
	} else {
		var one api.Desktop
		one, err = sage.Describe(ctx, uid)
		desktops = []api.Desktop{one}
	}
	if err != nil {
		return nil, err
	}
	used := []use{}
	for _, d := range desktops {
		if uid == "" && d.URL == "" {
			continue // It has nothing yet, or nothing any more.
		}
		stats, err := sage.Stats(ctx, d.UID)
		if uid == "" && client.IsCode(err, client.CodeNotRunning) {
			continue
		}
		if err != nil {
			return nil, err
		}
		used = append(used, use{d.UID, d.App, stats})
	}
	return used, nil
}

// watchUsage draws the figures anew on a terminal until ctx ends, which is no
// error.
func watchUsage(ctx context.Context, w io.Writer, interval time.Duration, ask func(context.Context) ([]use, error)) error {
	// Clear the screen once, then write from its top; see ECMA-48 for the codes.
	const clearScreen, top, clearLine, clearBelow = "\x1b[2J", "\x1b[H", "\x1b[K\n", "\x1b[J"
	w = obeying(w)
	fmt.Fprint(w, clearScreen)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		used, err := ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var table bytes.Buffer
		if err := writeUsage(&table, used); err != nil {
			return err
		}
		screen := append([]byte(top), bytes.ReplaceAll(table.Bytes(), []byte("\n"), []byte(clearLine))...)
		if _, err := w.Write(append(screen, clearBelow...)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func writeUsage(w io.Writer, used []use) error {
	var rows [][]string
	for _, u := range used {
		rows = append(rows, []string{
			u.UID, u.App, fmt.Sprintf("%.1f%%", u.CPUPercent),
			units.BytesSize(float64(u.MemoryBytes)) + " / " + units.BytesSize(float64(u.MemoryLimitBytes)),
			strconv.FormatInt(u.PIDs, 10), traffic(u.NetworkRxBytes), traffic(u.NetworkTxBytes),
		})
	}
	return writeTable(w, []string{"UID", "APP", "CPU", "MEMORY / LIMIT", "PIDS", "NET IN", "NET OUT"}, rows)
}

// traffic is a dash where the engine does not tell.
func traffic(bytes *int64) string {
	if bytes == nil {
		return "-"
	}
	return units.BytesSize(float64(*bytes))
}
