//go:build linux

package main

import (
	"fmt"
	"io"
	"time"

	"sage/bench/internal/table"
)

// printRows prints what was found.
func printRows(out io.Writer, rows []*row, quiet time.Duration) error {
	fmt.Fprintf(out, "Quiet rfb streams in the gateway, %s each with pings\n", quiet)
	w := table.New(out)
	fmt.Fprintln(w, "streams\topen in\tper stream\tKiB per stream\tas it is\tfiles per stream\tCPU, % of one\tpings per stream\tothers, % of all")
	for _, r := range rows {
		fmt.Fprintf(w, "%d\t%s\t%s\t%.1f\t%.1f\t%.2f\t%.2f\t%.1f\t%.0f\n", r.streams, r.opening.Round(time.Millisecond),
			(r.opening / time.Duration(r.streams)).Round(time.Microsecond), r.memory/1024, r.asIs/1024, r.files, 100*r.cpu,
			r.pings, 100*r.others)
	}
	fmt.Fprintln(w)
	most := rows[0]
	for _, r := range rows {
		if r.streams > most.streams {
			most = r
		}
	}
	table.Aims(w,
		table.Aim{What: fmt.Sprintf("KiB per stream, of %d", most.streams), Figures: []float64{most.memory / 1024}, Limit: 20, AtMost: true},
		table.Aim{What: "files per stream", Figures: []float64{most.files}, Limit: filesPerStream, AtMost: true},
		table.Aim{What: "CPU at rest, % of one processor", Figures: []float64{100 * most.cpu}, Limit: 1, AtMost: true},
	)
	if len(rows) > 1 {
		table.Aims(w, table.Aim{
			What:    fmt.Sprintf("KiB per stream, %d against %d streams", rows[len(rows)-1].streams, rows[0].streams),
			Figures: []float64{rows[len(rows)-1].memory / rows[0].memory}, Limit: 1.1, AtMost: true,
		})
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nMemory is the growth of the gateway's PSS (kernel sockets aside) since before the streams: after a forced collection\n"+
		"that gives back what is free; \"as it is\" is without one. It is taken at the end of the quiet time.")
	return nil
}
