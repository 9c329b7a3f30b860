//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"sage/bench/internal/stat"
)

// printRaw prints the table of whole screens and single pixels.
func printRaw(out io.Writer, rows []*rawRow, s *site, o options) error {
	byKey := make(map[string]*rawRow)
	for _, row := range rows {
		byKey[row.key] = row
	}
	of := func(key string, figure func(*rawRow) []float64) []float64 {
		if row := byKey[key]; row != nil {
			return figure(row)
		}
		return nil
	}
	rate := func(r *rawRow) []float64 { return r.rate }
	cost := func(r *rawRow) []float64 { return r.cost }
	p50 := func(r *rawRow) []float64 { return r.p50 }

	fmt.Fprintf(out, "Whole screens, %dx%d, raw, from Xtigervnc; %d rounds of %s and %d round trips of one pixel\n",
		rawWidth, rawHeight, o.rounds, o.span, o.trips)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "way\tMB/s\tof straight TCP\tCPU s/GB\tof websockify\ttrip p50 us\tp99 us\tp50 of nginx stream")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%s\t%s\t%s\t%.0f\t%s\n", r.name, stat.Of(r.rate).Median/1e6,
			ratio(r.rate, of(keyTCP, rate)), costOf(r), ratio(r.cost, of(keyWebsockify, cost)),
			micros(r.p50), stat.Of(r.p99).Median*1e6, ratio(r.p50, of(keyNginx, p50)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, k := range o.kinds {
		if k.tuned {
			size := "its own"
			if n := s.tuned[k.key]; n > 0 {
				size = fmt.Sprintf("%d KiB", n)
			}
			fmt.Fprintf(out, "%s: buffer %s, the fastest of %v KiB (0: its own)\n", k.name, size, nginxBuffers())
		}
	}
	return nil
}

func ratio(a, b []float64) string {
	ratios := stat.Ratios(a, b)
	if len(ratios) == 0 {
		return "-"
	}
	return stat.Of(ratios).Format(2)
}

func costOf(r *rawRow) string {
	if len(r.between) == 0 {
		return "-"
	}
	return stat.Of(r.cost).Format(2)
}

func micros(seconds []float64) string {
	s := stat.Of(seconds)
	return stat.Spread{Median: s.Median * 1e6, Min: s.Min * 1e6, Max: s.Max * 1e6}.Format(0)
}
