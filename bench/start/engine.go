package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// engine is a container engine, its API for Sage and its own program for the
// comparison.
type engine struct {
	name, kind, host string
	// limits are the program's flags for what this engine can limit.
	limits []string
	// data is the directory that Sage keeps its data of this engine in.
	data string
	// as is who runs the program; nil for ourselves.
	as *user.User
}

// testUser owns the rootless Podman of the tests.
const testUser = "sage-test"

func newEngine(name string) (*engine, error) {
	hosts := map[string]string{
		"docker": "SAGE_TEST_DOCKER_HOST", "podman": "SAGE_TEST_PODMAN_HOST", "podman-rootless": "SAGE_TEST_PODMAN_ROOTLESS_HOST",
	}
	variable, ok := hosts[name]
	if !ok {
		return nil, fmt.Errorf("engine %q is not known", name)
	}
	e := &engine{name: name, kind: strings.TrimSuffix(name, "-rootless"), host: os.Getenv(variable)}
	if e.host == "" {
		return nil, errors.New("it does not run: " + variable + " is not set")
	}
	if name != "podman-rootless" {
		// What catalog.yaml gives the desktop; a rootless engine on cgroup v1 limits nothing.
		e.limits = []string{"--cpus=1", "--memory=1g", "--memory-swap=1g", "--pids-limit=256"}
		return e, nil
	}
	var err error
	e.as, err = user.Lookup(testUser)
	return e, err
}

// program runs the engine's own program.
func (e *engine) program(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, e.kind, args...)
	if e.kind == "docker" {
		cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.host)
	}
	if e.as != nil {
		uid, err := strconv.ParseUint(e.as.Uid, 10, 32)
		if err != nil {
			return err
		}
		gid, err := strconv.ParseUint(e.as.Gid, 10, 32)
		if err != nil {
			return err
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		cmd.Dir = e.as.HomeDir
		cmd.Env = []string{
			"HOME=" + e.as.HomeDir, "USER=" + e.as.Username, "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=/run/user/" + e.as.Uid,
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", e.kind, args[0], err, out)
	}
	return nil
}

// run starts the desktop as Sage does, with its port published on port.
func (e *engine) run(ctx context.Context, name string, port int) error {
	args := []string{
		"run", "--detach", "--name", name, "--hostname", "desktop", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--read-only", "--tmpfs", "/tmp:size=256m", "--tmpfs", "/run:size=64m", "--shm-size", "64m",
		"--volume", name + "-home:/home/sage", "--env", "SAGE_GEOMETRY=1280x800",
		"--publish", fmt.Sprintf("127.0.0.1:%d:5900", port),
	}
	args = append(args, e.limits...)
	return e.program(ctx, append(args, "localhost/sage/desktop:latest")...)
}

// remove takes a container of run away.
func (e *engine) remove(ctx context.Context, name string) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(e.program(ctx, "rm", "--force", name), e.program(ctx, "volume", "rm", name+"-home"))
}
