// Package stat holds the few figures that the measuring programs print: medians, their spread, percentiles.
package stat

import (
	"cmp"
	"fmt"
	"slices"
)

// Percentile gives the p-th percentile of a list, 0 <= p <= 100, and the zero value of an empty one.
func Percentile[T cmp.Ordered](list []T, p float64) T {
	if len(list) == 0 {
		var zero T
		return zero
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(int(float64(len(sorted))*p/100), len(sorted)-1)]
}

// Spread is what several rounds gave for one figure.
type Spread struct{ Median, Min, Max float64 }

// Of gives the spread of a figure; all zero where there is none.
func Of(figures []float64) Spread {
	if len(figures) == 0 {
		return Spread{}
	}
	return Spread{Median: Percentile(figures, 50), Min: slices.Min(figures), Max: slices.Max(figures)}
}

// Ratios gives a[i]/b[i] for the rounds that both lists have.
func Ratios(a, b []float64) []float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if b[i] != 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	return ratios
}

// Format gives "0.81 (0.79..0.83)", with so many digits after the point.
func (s Spread) Format(digits int) string {
	return fmt.Sprintf("%.*f (%.*f..%.*f)", digits, s.Median, digits, s.Min, digits, s.Max)
}
