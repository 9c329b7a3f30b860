//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"sage/bench/internal/proc"
	"sage/bench/internal/vnc"
)

const (
	rawWidth, rawHeight = 1920, 1080
	// warmUp goes before each measurement, and trial is how long a variant is tried.
	warmUp, trial = 200 * time.Millisecond, 500 * time.Millisecond
	trials        = 2
)

// rawRow is what the rounds found for one way; a figure per round.
type rawRow struct {
	*way
	rate     []float64 // Bytes per second.
	cost     []float64 // Processor seconds per GB, of all between viewer and server.
	served   []float64 // The same of the server.
	p50, p99 []float64 // Of the tiny round trip, in seconds.
	others   []float64 // Which part of the machine was used by others.
}

// measureRaw measures whole screens and single pixels.
func measureRaw(ctx context.Context, o options, out io.Writer) error {
	server, err := vnc.Start(ctx, rawWidth, rawHeight)
	if err != nil {
		return err
	}
	defer server.Stop()
	if err := pattern(ctx, server); err != nil {
		return err
	}
	s, err := newSite(ctx, server.Process, server.Address)
	if err != nil {
		return err
	}
	defer s.Close()
	rows, err := s.rawRows(ctx, o)
	if err != nil {
		return err
	}
	if err := sameBytes(ctx, rows); err != nil {
		return err
	}
	for range o.rounds {
		for _, row := range rows {
			if err := row.measure(ctx, o); err != nil {
				return fmt.Errorf("%s: %w", row.name, err)
			}
		}
	}
	return printRaw(out, rows, s, o)
}

// pattern fills the screen, whose bytes would be all the same otherwise, and wrong ones would not be noticed. The server
// is as fast with it as with a browser's page.
func pattern(ctx context.Context, server *vnc.Server) error {
	out, err := exec.CommandContext(ctx, "xsetroot", "-display", server.Display, "-mod", "16", "16").CombinedOutput()
	if err != nil {
		return fmt.Errorf("xsetroot: %w: %s", err, out)
	}
	return nil
}

// rawRows builds the ways that are asked for, the nginx ones with the buffer that makes them fastest.
func (s *site) rawRows(ctx context.Context, o options) ([]*rawRow, error) {
	var rows []*rawRow
	for _, k := range o.kinds {
		variants := []int{0}
		if k.tuned {
			variants = nginxBuffers()
		}
		var best *rawRow
		for _, buffer := range variants {
			w, err := s.way(ctx, k, buffer)
			if err != nil {
				return nil, err
			}
			row := &rawRow{way: w}
			if len(variants) > 1 {
				for range trials {
					if err := row.measureRate(ctx, trial); err != nil {
						return nil, fmt.Errorf("%s: %w", w.name, err)
					}
				}
			}
			if best == nil || slices.Max(row.rate) > slices.Max(best.rate) {
				best, s.tuned[k.key] = row, buffer
			}
		}
		*best = rawRow{way: best.way}
		rows = append(rows, best)
	}
	return rows, nil
}

// measureRate notes how fast whole screens come, and what that costs.
func (r *rawRow) measureRate(ctx context.Context, d time.Duration) error {
	v, err := startViewer(ctx, r.address, r.path)
	if err != nil {
		return err
	}
	defer v.Stop()
	return r.screens(v, d)
}

func (r *rawRow) screens(v *viewer, d time.Duration) error {
	if _, err := v.do(doScreens, int(warmUp)); err != nil {
		return err
	}
	others, err := proc.WatchBystanders()
	if err != nil {
		return err
	}
	var a answer
	cost, served, err := r.used(func() (err error) {
		a, err = v.do(doScreens, int(d))
		return err
	})
	if err != nil {
		return err
	}
	share, err := others.Share()
	if err != nil {
		return err
	}
	gigabytes := float64(a.Bytes) / 1e9
	r.rate = append(r.rate, float64(a.Bytes)/a.Took.Seconds())
	r.cost, r.served = append(r.cost, cost.Seconds()/gigabytes), append(r.served, served.Seconds()/gigabytes)
	r.others = append(r.others, share)
	return nil
}

// used gives the processor time of what stands between, and of the server, while something is done.
func (w *way) used(do func() error) (between, server time.Duration, err error) {
	before, err := proc.CPU(w.between...)
	if err != nil {
		return 0, 0, err
	}
	serverBefore, err := proc.CPU(w.server)
	if err != nil {
		return 0, 0, err
	}
	if err := do(); err != nil {
		return 0, 0, err
	}
	after, err := proc.CPU(w.between...)
	if err != nil {
		return 0, 0, err
	}
	serverAfter, err := proc.CPU(w.server)
	return after - before, serverAfter - serverBefore, err
}

// measure is one round.
func (r *rawRow) measure(ctx context.Context, o options) error {
	v, err := startViewer(ctx, r.address, r.path)
	if err != nil {
		return err
	}
	defer v.Stop()
	if err := r.screens(v, o.span); err != nil {
		return err
	}
	if _, err := v.do(doTrips, o.trips/10); err != nil {
		return err
	}
	a, err := v.do(doTrips, o.trips)
	if err != nil {
		return err
	}
	r.p50, r.p99 = append(r.p50, a.P50.Seconds()), append(r.p99, a.P99.Seconds())
	return nil
}

// sameBytes checks that a screen comes through every way as it comes without any.
func sameBytes(ctx context.Context, rows []*rawRow) error {
	first := ""
	for _, row := range rows {
		v, err := startViewer(ctx, row.address, row.path)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		a, err := v.do(doSum, 0)
		v.Stop()
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		if first == "" {
			first = a.Sum
		}
		if a.Sum != first {
			return fmt.Errorf("%s: a screen is %s, with %s it is %s", row.name, a.Sum, rows[0].name, first)
		}
	}
	return nil
}
