package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstall puts everything below a directory, as who makes a package does.
func TestInstall(t *testing.T) {
	dir := t.TempDir()
	// The program was built already: "-o build" leaves it as it is.
	cmd := exec.CommandContext(t.Context(), "make", "-C", "..", "-o", "build", "install",
		"DESTDIR="+dir, "PREFIX=/usr", "SAGE="+absolute(t, os.Getenv(envBinary)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]string{
		"bin/sage":                                  "",
		"share/man/man1/sage.1":                     ".TH SAGE 1",
		"share/bash-completion/completions/sage":    "__start_sage",
		"share/zsh/site-functions/_sage":            "#compdef sage",
		"share/fish/vendor_completions.d/sage.fish": "complete -c sage",
	} {
		text, err := os.ReadFile(filepath.Join(dir, "usr", name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, no %q", name, err, want)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "usr/bin/sage"), "version", "--short").CombinedOutput()
	if err != nil || len(out) < 2 {
		t.Errorf("%v: %s", err, out)
	}
}
