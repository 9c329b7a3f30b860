package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"sage/docs"
)

// TestSettingsPage: the page for operators has every setting of the daemon.
func TestSettingsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("| environment | flag, name in the file | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range slices.Concat(engineFlags(), catalogFlags(), serverFlags(), desktopFlags()) {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok {
			t.Fatalf("flag %T", f)
		}
		name, usage := f.Names()[0], strings.ReplaceAll(d.GetUsage(), "|", `\|`)
		value := strings.Trim(d.GetDefaultText(), `"`)
		switch {
		case value == "false" || value == "":
			value = ""
		case name == "data-dir" || name == "starts-at-once":
			// It is the machine's, and told in words.
		default:
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", d.GetEnvVars()[0], name, value, strings.ReplaceAll(usage, "`", "*"))
	}
	docs.Made(t, "../../docs/operators.md", "settings", b.String())
}

// pages are those that people read.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// TestCommandsInPages: what the pages tell people to type is understood by the program.
func TestCommandsInPages(t *testing.T) {
	command := regexp.MustCompile("(?m)(?:^(?:    |\\t)(?:[A-Z_]+=\\S+ )*|`)(?:\\$ )?(?:sudo )?(?:/\\S+/)?(?:bin/sage|docker sage|sage)((?: +[^\\s`#;|&)]+)*)")
	seen := 0
	for page, text := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			args := strings.Fields(m[1])
			if len(args) == 0 {
				continue
			}
			seen++
			if err := understood(args); err != nil {
				t.Errorf("%s: %q: %v", page, strings.TrimSpace(m[0]), err)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d commands were found", seen)
	}
}

// understood lets the program read arguments and do nothing.
func understood(args []string) error {
	app := newApp(io.Discard, io.Discard)
	var idle func(commands []*cli.Command)
	ran := ""
	idle = func(commands []*cli.Command) {
		for _, c := range commands {
			c.Before = nil
			if len(c.Subcommands) == 0 {
				c.Action = func(c *cli.Context) error {
					ran = c.Command.FullName()
					return nil
				}
			}
			idle(c.Subcommands)
		}
	}
	idle(app.Commands)
	if err := app.Run(append([]string{"sage"}, args...)); err != nil {
		return err
	}
	if ran == "" && !slices.Contains(args, "--help") && args[0] != "--help" {
		return fmt.Errorf("it is no command")
	}
	return nil
}

// TestUnderstood: a test of commands that understood everything would be none.
func TestUnderstood(t *testing.T) {
	for _, args := range []string{"bogus", "serve --bogus", "catalog bogus", "run --env"} {
		if understood(strings.Fields(args)) == nil {
			t.Errorf("sage %s is understood", args)
		}
	}
	for _, args := range []string{"serve --listen 127.0.0.1:1", "catalog validate x", "serve --help"} {
		if err := understood(strings.Fields(args)); err != nil {
			t.Errorf("sage %s: %v", args, err)
		}
	}
}

// TestSettingsInPages: environment variables and flags of Sage's that the pages and what an operator starts from name are
// ones that it has.
func TestSettingsInPages(t *testing.T) {
	has := map[string]bool{}
	for _, f := range slices.Concat(allSettings(), clientFlags()) {
		for _, env := range f.(cli.DocGenerationFlag).GetEnvVars() {
			has[env] = true
		}
		has["--"+f.Names()[0]] = true
	}
	for _, name := range []string{"SAGE_CONFIG", "--config", "--help"} {
		has[name] = true
	}
	// What compose.yaml, the Makefile and the tests read, the catalog's apps take, and a page explains.
	for _, name := range strings.Fields("SAGE_USER SAGE_PORT SAGE_VNC_SERVER SAGE_GEOMETRY SAGE_TEST_ENGINES SAGE_SOAK SAGE_RECORD") {
		has[name] = true
	}
	texts := pages(t)
	for _, file := range []string{"compose.yaml", "Containerfile", "quadlet/sage.container", "systemd/sage.service", "systemd/user/sage.service", "proxy/nginx.conf", "proxy/Caddyfile", "proxy/traefik.yaml"} {
		text, err := os.ReadFile(filepath.Join("../../deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	variable := regexp.MustCompile(`\b(?:SAGE|CONTAINER|PORT_RANGE)_[A-Z_]+[A-Z]\b`)
	seen := 0
	for page, text := range texts {
		for _, name := range variable.FindAllString(text, -1) {
			seen++
			if !has[name] && name != "CONTAINER_HOST" {
				t.Errorf("%s names %s, which Sage does not read", page, name)
			}
		}
		for _, m := range regexp.MustCompile("sage serve[^`\\n]*(--[a-z-]+)").FindAllStringSubmatch(text, -1) {
			if !has[m[1]] {
				t.Errorf("%s names %s, which sage serve does not have", page, m[1])
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d names were found", seen)
	}
}
