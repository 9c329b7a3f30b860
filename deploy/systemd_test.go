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

// TestUnitsPromise: what the pages say of the units is in them. That Sage answers to it is a test of cmd/sage.
func TestUnitsPromise(t *testing.T) {
	for unit, lines := range map[string][]string{
		"sage.service":      {"Type=notify", "WatchdogSec=60", "Requires=sage.socket", "ExecReload=/bin/kill -HUP $MAINPID", "KillMode=mixed"},
		"sage.socket":       {"ListenStream=127.0.0.1:4024", "WantedBy=sockets.target"},
		"user/sage.service": {"Type=notify", "WatchdogSec=60", "ExecReload=/bin/kill -HUP $MAINPID", "KillMode=mixed"},
	} {
		text, err := os.ReadFile(filepath.Join("systemd", unit))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(text), "\n"+line+"\n") {
				t.Errorf("%s has no line %s", unit, line)
			}
		}
	}
}

// TestSandbox: systemd finds little in the machine's unit that it leaves open (in tenths of its scale from 0 to 10; without
// the sandbox it is 9.6).
func TestSandbox(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	execute(t, "systemd", analyze, "security", "--no-pager", "--offline=true", "--threshold=30", "./sage.service")
}
