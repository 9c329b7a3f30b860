package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"sage/cmd/internal/daemon"
)

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// sage runs the program with arguments.
func sage(t *testing.T, args ...string) result {
	t.Helper()
	return named(t, "sage", args...)
}

// named runs it under another name.
func named(t *testing.T, name string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{name}, args...), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// want checks an exit code and texts that must be in the output.
func (r result) want(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	if !strings.Contains(r.stdout, stdout) || stdout == "" && r.stdout != "" {
		t.Errorf("stdout %q, want %q in it", r.stdout, stdout)
	}
	if !strings.Contains(r.stderr, stderr) || stderr == "" && r.stderr != "" {
		t.Errorf("stderr %q, want %q in it", r.stderr, stderr)
	}
}

// write makes a file and gives its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serveConfig is the configuration that "sage serve" makes of arguments.
func serveConfig(t *testing.T, args ...string) (daemon.Config, error) {
	t.Helper()
	var cfg daemon.Config
	app := newApp(&bytes.Buffer{}, &bytes.Buffer{})
	app.Command("serve").Action = func(c *cli.Context) (err error) {
		cfg, err = config(c)
		return err
	}
	err := app.RunContext(t.Context(), flagsFirst(app, append([]string{"sage", "serve"}, args...)))
	return cfg, err
}

func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"nothing", nil, 0, "COMMANDS:", ""},
		{"help", []string{"--help"}, 0, "COMMANDS:", ""},
		{"help of a command", []string{"serve", "--help"}, 0, "PORT_RANGE_START", ""},
		{"unknown command", []string{"nope"}, 2, "", `"nope" is not a command`},
		{"unknown flag", []string{"serve", "--nope"}, 2, "", "-nope: see sage serve --help"},
		{"flag without value", []string{"serve", "--listen"}, 2, "", "--help"},
		{"wrong number", []string{"serve", "--port-range-start", "x"}, 2, "", "port-range-start"},
		{"serve with an argument", []string{"serve", "now"}, 2, "", `"now" is one argument too many`},
		{"catalog alone", []string{"catalog"}, 0, "validate", ""},
		{"catalog nonsense", []string{"catalog", "nope"}, 2, "", `"nope" is not a command`},
		{"validate nothing", []string{"catalog", "validate"}, 2, "", "FILE is missing"},
		{"run nothing", []string{"run"}, 2, "", "APP is missing"},
		{"run two", []string{"run", "a", "b"}, 2, "", `"b" is one argument too many`},
		{"stop nothing", []string{"stop"}, 2, "", "UID is missing"},
		{"bad pair", []string{"run", "a", "--env", "A"}, 2, "", "use NAME=VALUE"},
		{"pair twice", []string{"run", "a", "--env", "A=1", "--env", "A=2"}, 2, "", "given twice"},
		{"bad output", []string{"ls", "--output", "xml"}, 2, "", "use table or json"},
		{"bad address", []string{"ls", "--url", "127.0.0.1:1"}, 2, "", "use an http or https address"},
		{"bad build argument", []string{"build", "--build-arg", "X"}, 2, "", "use NAME=VALUE"},
		{"plugin metadata under the own name", []string{pluginMetadata}, 2, "", "is not a command"},
		{"version", []string{"version"}, 0, "go1.", ""},
		{"version for programs", []string{"version", "-o", "json"}, 0, `"version": "` + programVersion() + `"`, ""},
		{"short version", []string{"version", "--short"}, 0, programVersion() + "\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sage(t, tc.args...).want(t, tc.code, tc.stdout, tc.stderr)
		})
	}
}

// needed gives the path of a program that is there.
func needed(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	orNotThere(t, err, debianPackage)
	return path
}

// orNotThere ends a test with an error: it fails, or is left out where no set-up
// was asked for.
func orNotThere(t *testing.T, err error, debianPackage string) {
	t.Helper()
	if err != nil && os.Getenv("SAGE_TEST_ENGINES") == "none" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v: scripts/setup.sh test installs the package %s", err, debianPackage)
	}
}

// asProgram gives a file that is called like the program and does what it does:
// this test program, which TestMain makes that.
func asProgram(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sage")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}
