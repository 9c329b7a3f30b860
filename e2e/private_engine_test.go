package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
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

	"sage/runtime"
	"sage/runtime/docker"
	"sage/runtime/podman"
	"sage/runtime/runtimetest"
)

const (
	// rootlessUser is whose engine without root is tested.
	rootlessUser = "sage-test"
	// engineLimit bounds the wait for an engine that comes up or goes down.
	engineLimit = 2 * time.Minute
)

// privateEngine is an engine of one test's own, which it may stop, kill and
// freeze as it likes. Containers outlive its service.
type privateEngine struct {
	*engine
	t      *testing.T
	socket string
	// args start the service, as that user where there is one.
	args []string
	as   *user.User
	log  *os.File
	// ended is closed when the process that was started last has ended.
	ended chan struct{}
}

// newPrivateEngine starts one beside the engine of that name, which has to be
// there: it shows that this machine can run such a thing.
func newPrivateEngine(t *testing.T, name string) *privateEngine {
	t.Helper()
	runtimetest.EngineHost(t, name)
	if os.Geteuid() != 0 {
		t.Skip("an engine of its own needs root")
	}
	dir, err := os.MkdirTemp("", "sage") // A socket's path has to be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &privateEngine{t: t, socket: filepath.Join(dir, "engine.sock")}
	p.engine = &engine{name: name, kind: strings.TrimSuffix(name, "-rootless"), host: "unix://" + p.socket}
	if p.log, err = os.Create(filepath.Join(dir, "engine.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.log.Close()
		if t.Failed() {
			log, _ := os.ReadFile(p.log.Name())
			t.Logf("the log of %s ends with\n%s", name, log[max(0, len(log)-4096):])
		}
	})
	if p.kind == "docker" {
		p.prepareDocker(dir)
	} else {
		p.preparePodman(dir)
	}
	p.run()
	t.Cleanup(p.shut)
	if p.kind == "docker" {
		p.rt, err = docker.New(docker.Options{Host: p.host})
	} else {
		p.rt, err = podman.New(podman.Options{Host: p.host})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.rt.Close() })
	return p
}

// prepareDocker makes a second dockerd possible: nothing of it is the first
// one's. Without live-restore the end of a dockerd is that of its containers; and
// containerd runs by itself, as distributions have it.
func (p *privateEngine) prepareDocker(dir string) {
	config, containerd := filepath.Join(dir, "containerd.toml"), filepath.Join(dir, "c.sock")
	if err := os.WriteFile(config, []byte("version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command("containerd", "--config", config, "--address", containerd,
		"--root", filepath.Join(dir, "croot"), "--state", filepath.Join(dir, "cstate"))
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start containerd: %v", err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	p.await("containerd listens", func() bool {
		_, err := os.Stat(containerd)
		return err == nil
	})
	bridge := fmt.Sprintf("sgb%d", os.Getpid()%1000000)
	for _, args := range [][]string{
		{"link", "add", bridge, "type", "bridge"}, {"addr", "add", "198.18.79.1/24", "dev", bridge}, {"link", "set", bridge, "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			p.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	p.t.Cleanup(func() { _ = exec.Command("ip", "link", "del", bridge).Run() })
	p.args = []string{
		"dockerd", "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"), "--host", p.host, "--containerd", containerd, "--live-restore",
		"--bridge", bridge, "--iptables=false", "--ip-masq=false",
	}
}

// preparePodman makes a second service possible, on the same user's storage:
// Podman's service keeps nothing.
func (p *privateEngine) preparePodman(dir string) {
	p.args = []string{"podman", "system", "service", "--time=0", p.host}
	var err error
	if p.as, err = user.Lookup(rootlessUser); err != nil {
		p.t.Fatal(err)
	}
	own(p.t, p.as, dir)
}

// own gives a file to a user.
func own(t *testing.T, u *user.User, file string) {
	t.Helper()
	c := credential(t, u)
	if err := os.Chown(file, int(c.Uid), int(c.Gid)); err != nil {
		t.Fatal(err)
	}
}

// credential is what a process of that user starts with.
func credential(t *testing.T, u *user.User) *syscall.Credential {
	t.Helper()
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// run starts the service and waits until it answers.
func (p *privateEngine) run() {
	p.t.Helper()
	_ = os.Remove(p.socket) // A killed one leaves it.
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if p.as != nil {
		cmd.SysProcAttr.Credential = credential(p.t, p.as)
		cmd.Dir = p.as.HomeDir
		cmd.Env = []string{
			"HOME=" + p.as.HomeDir, "USER=" + p.as.Username, "LOGNAME=" + p.as.Username,
			"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "XDG_RUNTIME_DIR=/run/user/" + p.as.Uid,
		}
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.args[0], err)
	}
	ended := make(chan struct{})
	p.ended = ended
	go func() { // The test ends it, in many ways.
		_ = cmd.Wait()
		close(ended)
	}()
	p.await("answers", func() bool {
		resp, err := p.api(http.MethodGet, "/_ping")
		return err == nil && resp == http.StatusOK
	})
}

// await waits for something of the engine's.
func (p *privateEngine) await(what string, is func() bool) {
	p.t.Helper()
	await(p.t, engineLimit, p.name+" "+what, is)
}

// api makes a call that both engines have and the contract has not.
func (p *privateEngine) api(method, path string) (status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", p.socket)
	}}}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// killContainer kills a container's program from outside.
func (p *privateEngine) killContainer(id runtime.ID) {
	p.t.Helper()
	if status, err := p.api(http.MethodPost, "/containers/"+string(id)+"/kill?signal=KILL"); err != nil || status != http.StatusNoContent {
		p.t.Fatalf("kill container %s: %v, status %d", id, err, status)
	}
}

// pids are the processes of the service. Podman without root has two: the one
// that was started, and the one in its user namespace that does the work.
func (p *privateEngine) pids() []int {
	p.t.Helper()
	return processes(p.t, func(args []string) bool { return args[0] == p.args[0] && slices.Contains(args, p.host) })
}

// processes lists those whose command line is like that. One that is ending has
// none any more.
func processes(t *testing.T, like func(args []string) bool) []int {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, file := range entries {
		line, err := os.ReadFile(file)
		if err != nil || !like(strings.Split(string(line), "\x00")) {
			continue // It may have ended meanwhile.
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// send signals the service.
func (p *privateEngine) send(signal syscall.Signal) {
	p.t.Helper()
	pids := p.pids()
	if len(pids) == 0 {
		p.t.Fatalf("%s does not run", p.name)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
			p.t.Fatalf("signal %s: %v", p.name, err)
		}
	}
}

// end ends the service and waits for its end; run starts it again.
func (p *privateEngine) end(signal syscall.Signal) {
	p.t.Helper()
	p.send(signal)
	p.await("ends", func() bool { return len(p.pids()) == 0 })
	<-p.ended // A process that is ending has no command line any more.
	_ = os.Remove(p.socket)
}

// shut ends it for good, and what it leaves.
func (p *privateEngine) shut() {
	if len(p.pids()) > 0 {
		p.send(syscall.SIGCONT)
		p.end(syscall.SIGTERM)
	}
}
