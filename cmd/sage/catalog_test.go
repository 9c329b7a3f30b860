package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCatalogValidate(t *testing.T) {
	good, bad := "../../catalog.yaml", "../../catalog/testdata/bad-ten-mistakes.yaml"
	t.Run("good", func(t *testing.T) {
		sage(t, "catalog", "validate", good).want(t, 0, "catalog.yaml: 3 apps, no problem\n", "")
	})
	t.Run("ten mistakes", func(t *testing.T) {
		got := sage(t, "catalog", "validate", bad)
		got.want(t, exitUsage, "", bad+": 10 problems")
		places := 0
		for line := range strings.Lines(got.stderr) {
			if strings.HasPrefix(line, bad+":") && strings.Count(line, ":") > 3 {
				places++
			}
		}
		if places != 10 {
			t.Errorf("%d lines begin with a place, want 10:\n%s", places, got.stderr)
		}
	})
	t.Run("several", func(t *testing.T) {
		got := sage(t, "catalog", "validate", bad, good, filepath.Join(t.TempDir(), "none.yaml"))
		got.want(t, exitUsage, good+": ", "2 catalogs cannot be used")
		if !strings.Contains(got.stderr, "none.yaml: cannot be read") {
			t.Error(got.stderr)
		}
	})
}
