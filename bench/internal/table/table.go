// Package table prints what the measuring programs found, with the aims beside it.
package table

import (
	"fmt"
	"io"
	"text/tabwriter"

	"sage/bench/internal/stat"
)

// New begins a table that has tabs between its columns; it is printed by Flush.
func New(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) }

// Aim is a figure that Sage is to reach, with what the rounds found.
type Aim struct {
	What    string
	Figures []float64
	Limit   float64
	AtMost  bool // The limit is the largest good figure and not the smallest.
}

// Aims says in rows of a table which aims are met by the median; those that were not measured are left out.
func Aims(out io.Writer, aims ...Aim) {
	for _, a := range aims {
		if len(a.Figures) == 0 {
			continue
		}
		s := stat.Of(a.Figures)
		word, met := "at least", s.Median >= a.Limit
		if a.AtMost {
			word, met = "at most", s.Median <= a.Limit
		}
		verdict := "met"
		if !met {
			verdict = "MISSED"
		}
		fmt.Fprintf(out, "%s\t%s %.2f\t%s\t%s\n", a.What, word, a.Limit, s.Format(2), verdict)
	}
}
