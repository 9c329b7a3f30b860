package deploy_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuadlet: Podman makes services of the units. Its generator is the machine's or, where that has none, the one that
// scripts/quadlet.sh fetches.
func TestQuadlet(t *testing.T) {
	place := cmp.Or(os.Getenv("SAGE_TEST_QUADLET"), "../.cache/quadlet")
	for _, own := range []string{"/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"} {
		if _, err := os.Stat(own); err == nil {
			place = own
		}
	}
	generator := tool(t, place)
	dir, err := filepath.Abs("quadlet")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("QUADLET_UNIT_DIRS", dir)
	out := output(t, ".", generator, "-dryrun", "-user")
	for _, want := range []string{
		"---sage.service---", "---sage-volume.service---", "---sage-network.service---", "-v sage-data:/app/data", "--read-only", "--cap-drop all",
		"--stop-timeout=170", "localhost/sage/sage:latest", "--user 0:0", "--network sage-desktops", "--publish 127.0.0.1:4024:4024",
		`--health-cmd "[\"/app/sage\",\"ls\"]"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the services lack %q:\n%s", want, out)
		}
	}
}
