package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits: systemd understands every line of the units.
func TestUnits(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	for _, test := range []struct {
		name, dir string
		units     []string
		args      []string
	}{
		{"machine", "systemd", []string{"sage.service", "sage.socket"}, nil},
		{"user", "systemd/user", []string{"sage.service"}, []string{"--user"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("XDG_RUNTIME_DIR", dir)
			for _, unit := range test.units {
				text, err := os.ReadFile(filepath.Join(test.dir, unit))
				if err != nil {
					t.Fatal(err)
				}
				// The program need not be installed here.
				installed := strings.NewReplacer("/usr/local/bin/sage", "/bin/true", "%h/.local/bin/sage", "/bin/true").Replace(string(text))
				if err := os.WriteFile(filepath.Join(dir, unit), []byte(installed), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			// Without the warnings' refusal an unknown setting would be a line that nobody reads.
			args := append(append(test.args, "verify", "--man=no", "--recursive-errors=no"), test.units...)
			if out := output(t, dir, analyze, args...); strings.Contains(out, dir) || strings.Contains(out, "sage.") {
				t.Error(out)
			}
		})
	}
}
