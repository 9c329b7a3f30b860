package podman

import (
	"bufio"
	"os"
	"os/exec"
	"testing"

	"github.com/containers/podman/v5/libpod/define"

	"sage/runtime"
)

// movedMain is a process whose first thread has left for a network of its own, while
// the other ones stay: unshare(2) moves a thread alone.
const movedMain = `
import ctypes, threading
stay = threading.Event()
for _ in range(3):
    threading.Thread(target=stay.wait, daemon=True).start()
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
    raise OSError(ctypes.get_errno(), "unshare")
print("moved", flush=True)
input()
`

// TestNamespaceOfAServiceWhoseMainThreadMoves: Podman's service moves single threads
// to the namespaces of containers, the first one, too.
func TestNamespaceOfAServiceWhoseMainThreadMoves(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("it takes root and python3 to make such a process")
	}
	cmd := exec.Command(python, "-c", movedMain)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "moved\n" {
		t.Fatalf("it said %q, %v", line, err)
	}
	if !inNamespace(cmd.Process.Pid, "net") {
		t.Error("its other threads are in this network")
	}
	if inNamespace(1<<22+1, "net") {
		t.Error("there is no such process")
	}
}

// TestDescribeWithoutControllers: with control groups of version 2 and no part in
// them, an engine neither limits nor counts.
func TestDescribeWithoutControllers(t *testing.T) {
	for _, c := range []struct {
		version     string
		rootless    bool
		controllers []string
		want        runtime.Capabilities
	}{
		{"v2", true, nil, runtime.Capabilities{PullProgress: true}},
		{"v2", false, []string{"hugetlb"}, runtime.Capabilities{PullProgress: true}},
		{"v2", true, []string{"memory", "pids"}, runtime.Capabilities{PullProgress: true, Stats: true, MemoryLimit: true, PIDsLimit: true, OOMReport: true}},
		{"v1", true, []string{"memory", "pids"}, runtime.Capabilities{PullProgress: true}},
		{"v1", false, []string{"cpu", "memory", "pids"}, runtime.Capabilities{PullProgress: true, Stats: true, CPULimit: true, MemoryLimit: true, PIDsLimit: true}},
	} {
		said := &define.Info{Host: &define.HostInfo{CgroupsVersion: c.version, CgroupControllers: c.controllers}}
		said.Host.Security.Rootless = c.rootless
		if got := describe(said).Capabilities; got != c.want {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
}
