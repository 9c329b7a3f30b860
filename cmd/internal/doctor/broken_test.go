package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sage/cmd/internal/daemon"
	"sage/runtime"
)

// soundHost is a machine with nothing to mend, for the user 1000.
func soundHost(t *testing.T) Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"etc/passwd":                        "root:x:0:0::/:\nsomeone:x:1000:1000::/home/someone:/bin/sh\n",
		"etc/subuid":                        "other:100000:65536\nsomeone:165536:65536\n",
		"etc/subgid":                        "1000:165536:65536\n",
		"proc/sys/user/max_user_namespaces": "15000\n",
		"proc/sys/kernel/unprivileged_userns_clone":                                     "1\n",
		"proc/sys/kernel/apparmor_restrict_unprivileged_userns":                         "0\n",
		"proc/sys/net/ipv4/ip_unprivileged_port_start":                                  "1024\n",
		"sys/fs/cgroup/cgroup.controllers":                                              "cpu memory pids\n",
		"sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers": "cpu memory pids\n",
		"run/systemd/system/x":                                                          "", "var/lib/systemd/linger/someone": "", "usr/bin/newuidmap": "", "dev/net/tun": "",
	} {
		write(t, filepath.Join(root, name), text)
	}
	if err := os.Chmod(filepath.Join(root, "dev/net/tun"), 0o666); err != nil {
		t.Fatal(err)
	}
	return Host{Root: root, UID: 1000, Statfs: func(string) (Space, error) { return Space{Bytes: 1 << 40}, nil }}
}

// breakage is one way to break a machine.
type breakage struct {
	name string
	// broke breaks the settings or the host.
	broke func(*testing.T, *daemon.Config, *Host)
	// The finding that names it.
	mark    Mark
	subject string
	says    string
	mend    string
}

// rootless lets a fake answer as a user's engine.
func rootless(change func(*runtime.Info)) OpenFunc {
	return engineOf(allImages(), func(i *runtime.Info) {
		i.Rootless = true
		if change != nil {
			change(i)
		}
	})
}

// TestBrokenHost breaks what an engine without root needs of its machine, one
// thing after the other.
func TestBrokenHost(t *testing.T) {
	remove := func(name string) func(*testing.T, *daemon.Config, *Host) {
		return func(t *testing.T, _ *daemon.Config, h *Host) {
			if err := os.Remove(filepath.Join(h.Root, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	change := func(name, text string) func(*testing.T, *daemon.Config, *Host) {
		return func(t *testing.T, _ *daemon.Config, h *Host) { write(t, filepath.Join(h.Root, name), text) }
	}
	for _, b := range []breakage{
		{"no user namespaces", change("proc/sys/user/max_user_namespaces", "0\n"), Fail, "userns", "user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces="},
		{"Debian's switch", change("proc/sys/kernel/unprivileged_userns_clone", "0\n"), Fail, "userns", "unprivileged_userns_clone is 0", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"Ubuntu's switch", change("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"), Warn, "userns", "AppArmor", "kernel.apparmor_restrict_unprivileged_userns=0"},
		{"no subuids", change("etc/subuid", "other:100000:65536\n"), Fail, "subids", "someone has no 65536 subordinate ids in /etc/subuid", "usermod --add-subuids"},
		{"too few subgids", change("etc/subgid", "someone:100000:1000\n"), Fail, "subids", "in /etc/subgid", "--add-subgids 100000-165535 someone"},
		{"no files for them", remove("etc/subuid"), Fail, "subids", "/etc/subuid", "podman system migrate"},
		{"no newuidmap", remove("usr/bin/newuidmap"), Fail, "subids", "newuidmap", "uidmap or shadow-utils"},
		{"no tun", remove("dev/net/tun"), Fail, "tun", "/dev/net/tun is missing", "modprobe tun"},
		{"tun for root alone", func(t *testing.T, _ *daemon.Config, h *Host) {
			if err := os.Chmod(filepath.Join(h.Root, "dev/net/tun"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, Fail, "tun", "(mode 0600)", "chmod 666 /dev/net/tun"},
		{"no linger", remove("var/lib/systemd/linger/someone"), Warn, "linger", "when someone logs out", "loginctl enable-linger someone"},
		{"low ports", func(_ *testing.T, c *daemon.Config, _ *Host) { c.PortStart, c.PortEnd = 80, 81 }, Fail, "ports", "no port below 1024", "ip_unprivileged_port_start=80"},
		{"data on a full disk", func(_ *testing.T, _ *daemon.Config, h *Host) {
			h.Statfs = func(string) (Space, error) { return Space{Bytes: 1 << 20}, nil }
		}, Fail, "data", "1MiB are free: that is full", "--data-dir"},
		{"data on a disk that will be full", func(_ *testing.T, _ *daemon.Config, h *Host) {
			h.Statfs = func(string) (Space, error) { return Space{Bytes: 20 << 20}, nil }
		}, Warn, "data", "only 20MiB are free", "--data-dir"},
		{"no inodes", func(_ *testing.T, _ *daemon.Config, h *Host) {
			h.Statfs = func(string) (Space, error) { return Space{Bytes: 1 << 40, Files: 1000, FreeFiles: 3}, nil }
		}, Fail, "data", "3 more files", "--data-dir"},
	} {
		t.Run(b.name, func(t *testing.T) { b.test(t, rootless(nil)) })
	}
	t.Run("nothing", func(t *testing.T) {
		cfg := healthy(t)
		cfg.PortStart, cfg.PortEnd = freeRange(t)
		for _, f := range Examine(t.Context(), cfg, soundHost(t), rootless(nil)) {
			if f.Mark != OK {
				t.Errorf("%+v", f)
			}
		}
	})
}

// TestBrokenEngine breaks what engines tell of themselves.
func TestBrokenEngine(t *testing.T) {
	full := func(free uint64) func(*testing.T, *daemon.Config, *Host) {
		return func(_ *testing.T, _ *daemon.Config, h *Host) {
			h.Statfs = func(path string) (Space, error) {
				if path == "/graph" {
					return Space{Bytes: free}, nil
				}
				return Space{Bytes: 1 << 40}, nil
			}
		}
	}
	storage := engineOf(allImages(), func(i *runtime.Info) { i.Storage, i.Host = "/graph", "unix:///none" })
	limits := func(rootless bool, cgroup int) OpenFunc {
		return engineOf(allImages(), func(i *runtime.Info) {
			i.Rootless, i.CgroupVersion, i.Capabilities.MemoryLimit = rootless, cgroup, false
		})
	}
	for _, tc := range []struct {
		breakage
		open OpenFunc
	}{
		{breakage{"storage full", full(1 << 20), Fail, "disk", "/graph, where 1MiB are free: that is full", "image prune"}, storage},
		{breakage{"storage low", full(1 << 30), Warn, "disk", "/graph, where only 1GiB are free", "image prune"}, storage},
		{breakage{"not delegated", nil, Warn, "limits", "not honoured here: memory", "Delegate=cpu cpuset io memory pids"}, limits(true, 2)},
		{breakage{"rootless on cgroup v1", nil, Warn, "limits", "(cgroup version 1)", "systemd.unified_cgroup_hierarchy=1"}, limits(true, 1)},
		{breakage{"memory controller is off", nil, Warn, "limits", "not honoured here: memory", "cgroup_enable=memory"}, limits(false, 2)},
		{breakage{"other VNC server", func(_ *testing.T, c *daemon.Config, _ *Host) {
			c.BuildArgs = map[string]string{"VNC_SERVER": "tigervnc"}
		}, Warn, "vnc", "base has TurboVNC instead of TigerVNC", "sage build"}, engineOf(allImages(), nil)},
		{breakage{"right VNC server", nil, OK, "vnc", "base: TurboVNC", ""}, engineOf(allImages(), nil)},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, tc.open) })
	}
}

func (b breakage) test(t *testing.T, open OpenFunc) {
	cfg, host := healthy(t), soundHost(t)
	cfg.PortStart, cfg.PortEnd = freeRange(t)
	if b.broke != nil {
		b.broke(t, &cfg, &host)
	}
	b.want(t, Examine(t.Context(), cfg, host, open))
}

// want looks for the finding that names the breakage and its mend.
func (b breakage) want(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		if f.Mark == b.mark && f.Subject == b.subject && strings.Contains(f.Says, b.says) && strings.Contains(f.Mend, b.mend) {
			return
		}
	}
	for _, f := range found {
		t.Logf("%+v", f)
	}
	t.Errorf("no finding %s %s %q with the mend %q", b.mark, b.subject, b.says, b.mend)
}

// TestNoEngine looks for the engine as the daemon does, at sockets that are
// really broken.
func TestNoEngine(t *testing.T) {
	dir := shortDir(t)
	left := filepath.Join(dir, "left.sock")
	abandon(t, left)
	oldDocker := standInEngine(t, filepath.Join(dir, "docker.sock"), http.Header{"Api-Version": {"1.12"}, "Ostype": {"linux"}})
	oldPodman := standInEngine(t, filepath.Join(dir, "podman.sock"), http.Header{"Libpod-Api-Version": {"3.4.4"}})
	silent := standInEngine(t, filepath.Join(dir, "silent.sock"), nil)
	gone := "unix://" + filepath.Join(dir, "gone.sock")
	for _, tc := range []struct {
		name, kind, host, says, mend string
	}{
		{"docker's is missing", "docker", gone, "there is no such socket", "sudo systemctl enable --now docker"},
		{"podman's is missing", "podman", gone, "there is no such socket", "sudo systemctl enable --now podman.socket"},
		{"rootless podman's is missing", "podman", "unix:///run/user/4242/podman/podman.sock", "there is no such socket", "systemctl --user enable --now podman.socket"},
		{"rootless docker's is missing", "docker", "unix:///run/user/4242/docker.sock", "there is no such socket", "systemctl --user enable --now docker"},
		{"left behind", "docker", "unix://" + left, "nobody listens on the socket", "sudo systemctl enable --now docker"},
		{"old docker", "docker", oldDocker, "another version of the API", "update the engine"},
		{"old podman", "podman", oldPodman, "another version of the API", "update the engine"},
		{"no engine", "docker", silent, "does not answer well", "restart it"},
		{"nobody there", "docker", "tcp://127.0.0.1:1", "does not answer", "SAGE_RUNTIME_HOST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := daemon.OpenRuntime(t.Context(), daemon.Engine{Kind: tc.kind, Host: tc.host}, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal("an engine answers")
			}
			found := noEngine(soundHost(t), err)
			if len(found) != 1 {
				t.Errorf("%d findings", len(found))
			}
			breakage{mark: Fail, subject: "engine", says: tc.says, mend: tc.mend}.want(t, found)
		})
	}
	t.Run("nowhere", func(t *testing.T) {
		t.Setenv("XDG_RUNTIME_DIR", dir)
		t.Setenv("PATH", dir)
		_, _, err := daemon.OpenRuntime(t.Context(), daemon.Engine{Kind: "podman"}, slog.New(slog.DiscardHandler))
		if err == nil {
			t.Skip("this machine's own Podman answers")
		}
		found := noEngine(soundHost(t), err)
		breakage{mark: Fail, subject: "engine", says: "no container engine answers", mend: "do one of the following"}.want(t, found)
		breakage{mark: Warn, subject: "engine", says: "podman program", mend: "install Docker or Podman"}.want(t, found)
	})
	t.Run("a user without rights on cgroups", func(t *testing.T) {
		host := soundHost(t)
		write(t, filepath.Join(host.Root, "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers"), "memory pids\n")
		breakage{mark: Warn, subject: "limits", says: "not delegated to the user: cpu", mend: "Delegate="}.want(t, examineRootless(host, 1000, true))
		if err := os.Remove(filepath.Join(host.Root, "sys/fs/cgroup/cgroup.controllers")); err != nil {
			t.Fatal(err)
		}
		breakage{mark: Warn, subject: "limits", says: "cgroup v1", mend: "unified_cgroup_hierarchy"}.want(t, examineRootless(host, 1000, true))
	})
}

// shortDir is for sockets, whose paths are short.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sage")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// abandon leaves a socket on which nobody listens any more.
func abandon(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// standInEngine answers every ping with these headers, and everything else with
// a failure.
func standInEngine(t *testing.T, path string, header http.Header) string {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		if !strings.HasSuffix(r.URL.Path, "/_ping") || header == nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "OK")
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return "unix://" + path
}

func TestClock(t *testing.T) {
	dir := shortDir(t)
	for _, tc := range []struct {
		name string
		off  time.Duration
		want breakage
	}{
		{"same", 0, breakage{mark: OK, subject: "clock", says: "is ours"}},
		{"slow", -90 * time.Minute, breakage{mark: Warn, subject: "clock", says: "differs from ours by -1h", mend: "timedatectl set-ntp true"}},
		{"fast", 90 * time.Minute, breakage{mark: Warn, subject: "clock", says: "differs from ours by 1h", mend: "restart the virtual machine"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			date := time.Now().Add(tc.off).UTC().Format(http.TimeFormat)
			address := standInEngine(t, filepath.Join(dir, tc.name), http.Header{"Date": {date}})
			tc.want.want(t, examineClock(t.Context(), address, time.Now))
		})
	}
	if found := examineClock(t.Context(), "unix://"+filepath.Join(dir, "gone"), time.Now); found != nil {
		t.Errorf("%+v", found)
	}
}

// TestBrokenMachine breaks a machine in ten ways at the same time, each for real,
// and lets the program look at it as an ordinary user.
func TestBrokenMachine(t *testing.T) {
	dir := shortDir(t)
	// Others must find the way to what is broken.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	host := soundHost(t)
	write(t, filepath.Join(host.Root, "proc/sys/user/max_user_namespaces"), "0\n")
	write(t, filepath.Join(host.Root, "etc/subuid"), "")
	for _, name := range []string{"dev/net/tun", "var/lib/systemd/linger/someone", "sys/fs/cgroup/cgroup.controllers"} {
		if err := os.Remove(filepath.Join(host.Root, name)); err != nil {
			t.Fatal(err)
		}
	}
	forbidden := filepath.Join(dir, "forbidden.sock")
	standInEngine(t, forbidden, nil)
	if err := os.Chmod(forbidden, 0); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o555); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	catalog := write(t, filepath.Join(dir, "catalog.yaml"), "version: 1\napps: nonsense\n")

	cfg := healthy(t)
	cfg.Catalog, cfg.DataDir, cfg.Listen = catalog, data, taken.Addr().String()
	cfg.PortStart, cfg.PortEnd, cfg.StopGrace = port, port+1, 0
	cfg.Engine = daemon.Engine{Kind: daemon.EngineDocker, Host: "unix://" + forbidden}
	found := asUser(t, cfg, host)
	for _, b := range []breakage{
		{mark: Fail, subject: "settings", says: "SAGE_STOP_GRACE", mend: "another value"},
		{mark: Fail, subject: "catalog", says: "cannot be used", mend: "mend the file"},
		{mark: Fail, subject: "engine", says: "this user may not open the socket", mend: "usermod -aG docker"},
		{mark: Fail, subject: "userns", says: "are blocked", mend: "sysctl"},
		{mark: Fail, subject: "subids", says: "/etc/subuid", mend: "usermod --add-subuids"},
		{mark: Fail, subject: "tun", says: "is missing", mend: "modprobe tun"},
		{mark: Warn, subject: "limits", says: "cgroup v1", mend: "boot with cgroup v2"},
		{mark: Warn, subject: "linger", says: "logs out", mend: "enable-linger"},
		{mark: Fail, subject: "ports", says: fmt.Sprintf("every port of [%d, ", port), mend: "ss -ltnp \"sport = :" + strconv.Itoa(port)},
		{mark: Fail, subject: "listen", says: "is not sage", mend: "--listen"},
		{mark: Fail, subject: "data", says: "cannot be written to", mend: "--data-dir"},
	} {
		t.Run(b.subject, func(t *testing.T) { b.want(t, found) })
	}
}

// order is what the program in asUser is told.
type order struct {
	Config daemon.Config
	Root   string
	UID    int
}

// asUser lets this test program examine as a user who may not open everything.
func asUser(t *testing.T, cfg daemon.Config, host Host) []Finding {
	t.Helper()
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "doctor")
	if err := os.WriteFile(program, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	// The host's files are in a directory of the tests' own.
	root := filepath.Join(dir, "root")
	if err := os.CopyFS(root, os.DirFS(host.Root)); err != nil {
		t.Fatal(err)
	}
	cfg.Logger = nil
	told, err := json.Marshal(order{cfg, root, host.UID})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = []string{envOrder + "=" + string(told), "HOME=/nonexistent"}
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if os.Geteuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var found []Finding
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return found
}

// envOrder holds the order for a program that examines.
const envOrder = "SAGE_TEST_DOCTOR"

func TestMain(m *testing.M) {
	told := os.Getenv(envOrder)
	if told == "" {
		os.Exit(m.Run())
	}
	var o order
	if err := json.Unmarshal([]byte(told), &o); err != nil {
		panic(err)
	}
	o.Config.Logger = slog.New(slog.DiscardHandler)
	host := ThisHost()
	host.Root, host.UID = o.Root, o.UID
	found := Examine(context.Background(), o.Config, host, daemon.OpenRuntime)
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
