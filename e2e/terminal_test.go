package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"sage/httpapi/api"
)

// terminal is a person's shell beside a daemon.
type terminal struct {
	t       *testing.T
	program []string
	env     settings
}

// said is what a command left.
type said struct {
	code           int
	stdout, stderr string
}

// TestCommandLine uses a real daemon as a person does: as "docker sage" beside
// Docker, as "sage" beside rootless Podman.
func TestCommandLine(t *testing.T) {
	for _, name := range []string{"docker", "podman-rootless"} {
		t.Run(name, func(t *testing.T) {
			e := connect(t, name)
			d := serve(t, e, settings{"SAGE_CATALOG": tinyCatalog(t, e), "SAGE_MAX_DESKTOPS": "1", "SAGE_FIRST_CLIENT_GRACE": "10m"})
			d.know("mine")
			sh := openTerminal(t, d, name == "docker")
			sh.run("run", "tiny", "--uid", "mine").want(t, 0, "page    "+d.address+"/desktop/mine\n")
			sh.run("run", "tiny", "--uid", "other").want(t, 4, "")
			sh.run("run", "nothing", "--uid", "mine").want(t, 3, "")
			sh.run("apps").want(t, 0, "tiny-home")
			sh.run("ls").want(t, 0, d.address+"/desktop/mine")
			var desktops []api.Desktop
			if err := json.Unmarshal([]byte(sh.run("ls", "--output", "json").stdout), &desktops); err != nil || len(desktops) != 1 || desktops[0].UID != "mine" {
				t.Errorf("%+v, %v", desktops, err)
			}
			sh.run("stop", "other").want(t, 3, "")
			sh.run("stop", "--nope").want(t, 2, "")
			sh.run("stats", "--url", "http://127.0.0.1:1").want(t, 5, "")
			sh.testStats(e)
			sh.testOpen(d)
			sh.testLogs()
			sh.run("ls").want(t, 0, "UID")
			if len(e.containers(t.Context(), t, d.instance, "mine")) != 0 {
				t.Error("it has a container after the stop")
			}
		})
	}
}

// openTerminal gives the commands as they are typed.
func openTerminal(t *testing.T, d *daemon, plugin bool) *terminal {
	t.Helper()
	home := t.TempDir()
	program := os.Getenv(envBinary)
	sh := &terminal{t: t, program: []string{program}, env: settings{
		"PATH": home + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME": home, "SAGE_URL": d.address, "DISPLAY": ":7", "TERM": "xterm",
	}}
	if plugin {
		plugins := filepath.Join(home, ".docker", "cli-plugins")
		if err := os.MkdirAll(plugins, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(absolute(t, program), filepath.Join(plugins, "docker-sage")); err != nil {
			t.Fatal(err)
		}
		sh.program = []string{"docker", "sage"}
	}
	return sh
}

func (sh *terminal) command(ctx context.Context, args ...string) *exec.Cmd {
	line := slices.Concat(sh.program, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = sh.env.environ()
	return cmd
}

// run runs a command to its end, without a terminal.
func (sh *terminal) run(args ...string) said {
	sh.t.Helper()
	ctx, cancel := context.WithTimeout(sh.t.Context(), callLimit)
	defer cancel()
	cmd := sh.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		sh.t.Fatalf("%q: %v", args, err)
	}
	return said{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (s said) want(t *testing.T, code int, stdout string) {
	t.Helper()
	if s.code != code || !strings.Contains(s.stdout, stdout) || code != 0 && s.stderr == "" {
		t.Errorf("exit code %d, want %d, and %q in %q; %s", s.code, code, stdout, s.stdout, s.stderr)
	}
}

// testStats: what the engine counts, and a plain word where it does not.
func (sh *terminal) testStats(e *engine) {
	sh.t.Helper()
	info, err := e.rt.Ping(sh.t.Context())
	if err != nil {
		sh.t.Fatal(err)
	}
	if !info.Capabilities.Stats {
		sh.run("stats", "mine").want(sh.t, 1, "")
		return
	}
	sh.run("stats").want(sh.t, 0, "mine")
	sh.run("stats", "mine", "--output", "json").want(sh.t, 0, `"memory_bytes": `)
	// On a terminal the figures are drawn anew, until Ctrl-C.
	cmd, screen := sh.onTerminal("stats")
	for seen := ""; strings.Count(seen, "mine") < 2; {
		piece := make([]byte, 4096)
		n, err := screen.Read(piece)
		if err != nil {
			sh.t.Fatalf("%v after %q", err, seen)
		}
		seen += string(piece[:n])
	}
	if _, err := screen.Write([]byte{3}); err != nil {
		sh.t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		sh.t.Errorf("after Ctrl-C: %v", err)
	}
}

// testOpen: the browser is asked to open the page, by "open", and by "run" where
// a person looks.
func (sh *terminal) testOpen(d *daemon) {
	sh.t.Helper()
	asked := filepath.Join(sh.env["HOME"], "asked")
	if err := syscall.Mkfifo(asked, 0o600); err != nil {
		sh.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(sh.env["HOME"], "xdg-open"), []byte("#!/bin/sh\necho \"$1\" > "+asked+"\n"), 0o700); err != nil {
		sh.t.Fatal(err)
	}
	opened := func() {
		sh.t.Helper()
		if page, err := os.ReadFile(asked); err != nil || string(page) != d.address+"/desktop/mine\n" {
			sh.t.Errorf("opened %q, %v", page, err)
		}
	}
	sh.run("open", "mine").want(sh.t, 0, d.address+"/desktop/mine\n")
	opened()
	cmd, screen := sh.onTerminal("run", "tiny", "--uid", "mine")
	opened()
	shown := new(bytes.Buffer)
	_, _ = shown.ReadFrom(screen) // It ends with the program, as an error.
	if err := cmd.Wait(); err != nil || !strings.Contains(shown.String(), "page    "+d.address) {
		sh.t.Errorf("%v: %q", err, shown)
	}
}

// testLogs follows the desktop's log until it is stopped.
func (sh *terminal) testLogs() {
	sh.t.Helper()
	sh.run("logs", "mine", "--tail", "5").want(sh.t, 0, "")
	ctx, cancel := context.WithTimeout(sh.t.Context(), callLimit)
	defer cancel()
	follow := sh.command(ctx, "logs", "mine", "--follow")
	if err := follow.Start(); err != nil {
		sh.t.Fatal(err)
	}
	sh.run("stop", "mine").want(sh.t, 0, "mine\n")
	// Who comes too late is told that there is nothing to follow.
	if err := follow.Wait(); err != nil && follow.ProcessState.ExitCode() != 3 {
		sh.t.Errorf("the follower: %v", err)
	}
}

// onTerminal starts a command on a terminal of its own.
func (sh *terminal) onTerminal(args ...string) (*exec.Cmd, *os.File) {
	sh.t.Helper()
	cmd := sh.command(sh.t.Context(), args...)
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { screen.Close() })
	return cmd, screen
}
