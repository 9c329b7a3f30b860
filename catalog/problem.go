package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Problem is one mistake in a catalog file.
type Problem struct {
	// File is the name that was given to Load or Parse.
	File string
	// Path leads to the value, apps by id where they have one: "apps[firefox].limits.memory". It is "" for the file.
	Path string
	// Line and Column count from 1; both are 0 where the file has no such place.
	Line, Column int
	// Message says what is wrong, Hint what would be right ("" when there is nothing to say).
	Message, Hint string

	cause error
}

// Error returns "file:line:column: path: message: hint" without the parts that are empty.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	for _, part := range []string{p.Path, p.Message, p.Hint} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	return b.String()
}

// Unwrap returns the error of the operating system behind the problem, or nil.
func (p *Problem) Unwrap() error { return p.cause }

// joinProblems returns nil for no problem, else a *multierror.Error in the order of the file.
func joinProblems(problems []*Problem) error {
	slices.SortStableFunc(problems, func(a, b *Problem) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	merr := &multierror.Error{ErrorFormat: formatLines}
	for _, p := range problems {
		merr.Errors = append(merr.Errors, p)
	}
	return merr.ErrorOrNil()
}

// formatLines puts every error on a line of its own, which editors and CI systems can turn into links.
func formatLines(errs []error) string {
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}
