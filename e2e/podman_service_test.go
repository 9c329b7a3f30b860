package e2e_test

import (
	"bufio"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sage/runtime/runtimetest"
)

// TestPodmanServiceOfItsOwn serves where a user has only the podman program. Each
// round is Podman's first one after a boot: then its service is two processes, of
// which the first may go before it has told the second.
func TestPodmanServiceOfItsOwn(t *testing.T) {
	runtimetest.EngineHost(t, "podman-rootless")
	if os.Geteuid() != 0 {
		t.Skip("to be another user needs root")
	}
	u := newPodmanUser(t)
	const rounds = 8
	for round := range rounds {
		u.reboot()
		cmd, address, ended := u.serve()
		first := u.services()
		if len(first) == 0 {
			t.Fatal("sage serves without a service of Podman's")
		}
		if round == 0 {
			kill(t, first...)
			await(t, engineLimit, "Podman's service is there again", func() bool {
				now := u.services()
				return len(now) > 0 && !slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(first, pid) })
			})
			await(t, engineLimit, "sage is ready again", func() bool {
				resp, err := http.Get(address + "/readyz")
				if err != nil {
					return false
				}
				defer resp.Body.Close()
				return resp.StatusCode == http.StatusOK
			})
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			t.Fatal("sage did not end within a minute after Ctrl-C")
		}
		await(t, engineLimit, "Podman's service ends with sage", func() bool { return len(u.services()) == 0 })
		if left, err := filepath.Glob(filepath.Join(u.dir, "sage-podman-*")); err != nil || len(left) != 0 {
			t.Fatalf("left behind: %v, %v", left, err)
		}
	}
}

// podmanUser is an ordinary user with a home that Podman has never seen.
type podmanUser struct {
	t *testing.T
	*user.User
	// dir is home, runtime directory and temporary directory.
	dir string
}

func newPodmanUser(t *testing.T) *podmanUser {
	t.Helper()
	dir, err := os.MkdirTemp("", "sage") // A socket's path has to be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	u := &podmanUser{t: t, dir: dir}
	if u.User, err = user.Lookup(rootlessUser); err != nil {
		t.Fatal(err)
	}
	own(t, u.User, dir)
	// Sage and the catalog, where this user may read them.
	program, err := os.ReadFile(os.Getenv(envBinary))
	if err != nil {
		t.Fatal(err)
	}
	catalog := "version: 1\napps:\n  - {id: a, title: A, image: localhost/sage/none, endpoints: [{name: vnc, port: 5900, protocol: rfb}]}\n"
	if err := errors.Join(os.WriteFile(u.file("sage"), program, 0o755), os.WriteFile(u.file("catalog.yaml"), []byte(catalog), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill(t, u.services()...)
		u.reboot()
	})
	return u
}

func (u *podmanUser) file(name string) string { return filepath.Join(u.dir, name) }

// reboot ends the process by which Podman keeps the user's namespace.
func (u *podmanUser) reboot() {
	u.t.Helper()
	text, err := os.ReadFile(u.file("libpod/tmp/pause.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	pid, numberErr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err := errors.Join(err, numberErr); err != nil {
		u.t.Fatal(err)
	}
	kill(u.t, pid)
	if err := os.Remove(u.file("libpod/tmp/pause.pid")); err != nil {
		u.t.Fatal(err)
	}
}

func kill(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}

// serve runs sage until it is ready.
func (u *podmanUser) serve() (cmd *exec.Cmd, address string, ended <-chan error) {
	u.t.Helper()
	cmd = exec.Command(u.file("sage"), "serve")
	cmd.Dir = u.dir
	cmd.Env = settings{
		"PATH": os.Getenv("PATH"), "HOME": u.dir, "USER": u.Username, "XDG_RUNTIME_DIR": u.dir, "TMPDIR": u.dir,
		"SAGE_RUNTIME": "podman", "SAGE_LISTEN": "127.0.0.1:0", "SAGE_CATALOG": u.file("catalog.yaml"),
		"SAGE_DATA_DIR": u.file("data"),
	}.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(u.t, u.User)}
	var log strings.Builder
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	exit := make(chan error, 1)
	go func() { exit <- cmd.Wait() }()
	_, address, ready := strings.Cut(strings.TrimSpace(line), "sage is ready: ")
	if !ready {
		_ = cmd.Process.Kill()
		<-exit
		u.t.Fatalf("sage said %q, %v: %s", line, err, &log)
	}
	return cmd, address, exit
}

// services lists the processes that serve Podman's API for this user's sage.
func (u *podmanUser) services() []int {
	u.t.Helper()
	own := func(arg string) bool { return strings.Contains(arg, u.dir) }
	return processes(u.t, func(args []string) bool { return slices.Contains(args, "service") && slices.ContainsFunc(args, own) })
}
