package runtimetest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sage/runtime"
)

// testImage is the image that containers of tests run.
const testImage = "localhost/sage/testapp:latest"

// testContainerfile makes it. The program runs as an ordinary user with a home
// that has something in it.
const testContainerfile = `FROM scratch
COPY --chown=1000:1000 home /home
COPY testapp /testapp
ENV HOME=/home/app TESTAPP_IMAGE=yes
USER 1000:1000
WORKDIR /home/app
ENTRYPOINT ["/testapp"]
`

// What the test image has in its home.
const (
	// HomePath is owned by the user that the program runs as.
	HomePath = "/home/app"
	// SeedPath is a file in it, SeedText its content.
	SeedPath = HomePath + "/seed"
	SeedText = "from the image"
)

// TestImage brings the image of package testapp onto the engine and gives its
// reference. It is built again only when the program has changed.
func TestImage(t *testing.T, rt runtime.Runtime) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "testapp")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w", "-o", program, "sage/runtime/runtimetest/testapp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test program: %v\n%s", err, out)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "Containerfile", testContainerfile)
	writeFile(t, dir, "home/app/seed", SeedText)
	sum := sha256.Sum256(append(binary, testContainerfile...))

	req := runtime.ImageRequest{Ref: testImage, Build: &runtime.Build{
		ContextDir:    dir,
		Containerfile: "Containerfile",
		Digest:        hex.EncodeToString(sum[:]),
	}}
	err = rt.EnsureImage(t.Context(), req, func(p runtime.Progress) {
		if p.Text != "" {
			t.Log(testImage+":", p.Text)
		}
	})
	if err != nil {
		t.Fatalf("bring the test image: %v", err)
	}
	return testImage
}

func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
