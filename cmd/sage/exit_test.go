package main

import (
	"strconv"
	"strings"
	"testing"
)

// TestExitCodesAreDocumented: the help text and the manual page have every code
// with its meaning, and no code means two things.
func TestExitCodesAreDocumented(t *testing.T) {
	help := sage(t, "--help").stdout
	page := sage(t, "man").stdout
	_, page, _ = strings.Cut(page, ".SH EXIT STATUS")
	known := map[int]bool{}
	for _, e := range exitCodes() {
		if known[e.Code] {
			t.Errorf("%d has two meanings", e.Code)
		}
		known[e.Code] = true
		if line := strconv.Itoa(e.Code) + "  " + e.Meaning + "\n"; !strings.Contains(help, line) {
			t.Errorf("the help text does not have %q:\n%s", line, help)
		}
		if !strings.Contains(page, `\fB`+strconv.Itoa(e.Code)+`\fP`) || !strings.Contains(page, e.Meaning) {
			t.Errorf("the manual page does not have %d, %s", e.Code, e.Meaning)
		}
	}
	for code := range exitDenied + 1 {
		if !known[code] {
			t.Errorf("%d is not explained", code)
		}
	}
}
