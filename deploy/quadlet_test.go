package deploy_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestQuadlet: Podman makes services of the units. A Podman older than 4.4 has no generator; then the units are read by
// this test's own rules, which the output says.
func TestQuadlet(t *testing.T) {
	for _, place := range []string{os.Getenv("SAGE_TEST_QUADLET"), "/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"} {
		generator, err := exec.LookPath(place)
		if err != nil {
			continue
		}
		dir, err := filepath.Abs("quadlet")
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("QUADLET_UNIT_DIRS", dir)
		out := output(t, ".", generator, "-dryrun", "-user")
		for _, want := range []string{
			"---sage.service---", "---sage-volume.service---", "---sage-network.service---", "-v sage-data:/app/data", "--read-only", "--cap-drop all",
			"--stop-timeout=170", "localhost/sage/sage:latest",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("the services lack %q:\n%s", want, out)
			}
		}
		t.Logf("judged by %s", generator)
		return
	}
	t.Log("no generator of Podman's is installed (it came with 4.4): judged by this test's own rules")
	for file, keys := range map[string][]string{
		"sage.container": {
			"Image", "ContainerName", "Network", "Volume", "Environment", "ReadOnly", "Tmpfs", "DropCapability", "NoNewPrivileges",
			"SecurityLabelDisable", "HealthCmd", "HealthInterval", "PodmanArgs",
		},
		"sage.volume":  {"VolumeName"},
		"sage.network": {"NetworkName", "Internal"},
	} {
		readUnit(t, file, keys)
	}
}

// readUnit wants sections, keys that Podman 4.5 knows, and values; and that a unit which is named is there.
func readUnit(t *testing.T, file string, keys []string) {
	t.Helper()
	f, err := os.Open(filepath.Join("quadlet", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kind := strings.ToUpper(filepath.Ext(file)[1:2]) + filepath.Ext(file)[2:]
	known := map[string][]string{
		kind: keys, "Unit": {"Description", "Wants", "After"}, "Service": {"Restart", "TimeoutStopSec"}, "Install": {"WantedBy"},
	}
	section, seen := "", map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			if known[section] == nil || seen[section] {
				t.Errorf("%s: section %s", file, line)
			}
			seen[section] = true
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || value == "" || !slices.Contains(known[section], key) {
			t.Errorf("%s: line %q in section %s", file, line, section)
		}
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ':' || r == ' ' }) {
			if ext := filepath.Ext(word); section == kind && (ext == ".volume" || ext == ".network") {
				if _, err := os.Stat(filepath.Join("quadlet", word)); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
	if !seen[kind] {
		t.Errorf("%s has no section %s", file, kind)
	}
}
