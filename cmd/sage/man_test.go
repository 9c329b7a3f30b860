package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestManPage(t *testing.T) {
	page := sage(t, "man").stdout
	t.Setenv("HOME", "/elsewhere")
	t.Setenv("SAGE_LISTEN", "192.0.2.1:1")
	if again := sage(t, "man").stdout; again != page {
		t.Error("it depends on where it was made")
	}
	for _, c := range manCommands("sage", newApp(nil, nil).Commands) {
		if !strings.Contains(page, ".SS "+c.Line) {
			t.Errorf("%s is not in it", c.Line)
		}
		for _, f := range manFlags(c) {
			if name := strings.Split(f.Names, ", ")[0]; !strings.Contains(strings.ReplaceAll(page, `\-`, "-"), name) {
				t.Errorf("%s of %s is not in it", name, c.Line)
			}
		}
	}
	for _, want := range []string{"SAGE_LISTEN", "CONTAINER_NO_CLIENT_TIMEOUT", "default: 3 for each core"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in it", want)
		}
	}
	t.Run("groff", func(t *testing.T) {
		groff := needed(t, "groff", "groff-base")
		// All warnings, of which none is due; tbl is asked for as man(1) does.
		cmd := exec.CommandContext(t.Context(), groff, "-t", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=100n")
		cmd.Stdin = strings.NewReader(page)
		var said, shown strings.Builder
		cmd.Stdout, cmd.Stderr = &shown, &said
		if err := cmd.Run(); err != nil || said.Len() > 0 {
			t.Errorf("%v: %s", err, said.String())
		}
		if !strings.Contains(shown.String(), "EXIT STATUS") || !strings.Contains(shown.String(), "sage run APP") {
			t.Errorf("it shows\n%s", shown.String())
		}
	})
	t.Run("man", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), needed(t, "man", "man-db"), "--warnings", "-l", "-")
		cmd.Env = append(cmd.Environ(), "MANPAGER=cat", "LC_ALL=C.UTF-8", "MANWIDTH=100")
		cmd.Stdin = strings.NewReader(page)
		var said, shown strings.Builder
		cmd.Stdout, cmd.Stderr = &shown, &said
		if err := cmd.Run(); err != nil || said.Len() > 0 || !strings.Contains(shown.String(), "EXIT STATUS") {
			t.Errorf("%v: %s\n%.300s", err, said.String(), shown.String())
		}
	})
}
