//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"

	"sage/bench/internal/stat"
)

// aim is a ratio that Sage is to reach, with what the rounds found.
type aim struct {
	what   string
	ratios []float64
	limit  float64
	atMost bool // The limit is the largest good ratio and not the smallest.
}

// printAims says which aims are met by the median; those that were not measured are left out.
func printAims(out io.Writer, aims []aim) {
	for _, a := range aims {
		if len(a.ratios) == 0 {
			continue
		}
		s := stat.Of(a.ratios)
		word, met := "at least", s.Median >= a.limit
		if a.atMost {
			word, met = "at most", s.Median <= a.limit
		}
		verdict := "met"
		if !met {
			verdict = "MISSED"
		}
		fmt.Fprintf(out, "%s\t%s %.2f\t%s\t%s\n", a.what, word, a.limit, s.Format(2), verdict)
	}
}

// fastest gives the best figure of each round, of several ways.
func fastest(ways ...[]float64) []float64 {
	var best []float64
	for _, rates := range ways {
		if best == nil {
			best = slices.Clone(rates)
		}
		for i := range min(len(best), len(rates)) {
			best[i] = max(best[i], rates[i])
		}
	}
	return best
}
