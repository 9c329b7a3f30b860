package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	// envBinary names the program under test.
	envBinary = "SAGE_TEST_BINARY"
	// envArtifacts names the directory for pictures.
	envArtifacts = "SAGE_TEST_ARTIFACTS"

	buildTags = "remote exclude_graphdriver_btrfs containers_image_openpgp"
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the program once for all tests, unless one is given.
func run(m *testing.M) int {
	if os.Getenv(envBinary) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "sage-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "sage")
	build := exec.Command("go", "build", "-tags", buildTags, "-buildvcs=false", "-o", binary, "sage/cmd/sage")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: build sage: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(envBinary, binary); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}
