package podman

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/containers/podman/v5/pkg/bindings/network"

	"sage/runtime"
)

// defaultNetwork is that of containers that are put on no other.
const defaultNetwork = "podman"

// reachable tells whether the addresses of containers can be reached from this
// process: where it is on the host whose service it speaks to, or, itself in a
// container, on the containers' network.
func (l *link) reachable(ctx context.Context, rootless bool) (bool, error) {
	if rootless || l.host.Scheme != "unix" {
		// Without root the network is inside a namespace of the engine's own.
		return false, nil
	}
	if sharesNamespace(l.host.Path, "net") {
		return true, nil
	}
	found, err := network.Inspect(ctx, defaultNetwork, nil)
	if err != nil {
		if kindOf("ping", err) == runtime.ErrNotFound {
			return false, nil
		}
		return false, err
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false, nil //nolint:nilerr // Who does not know its addresses takes the published port.
	}
	for _, subnet := range found.Subnets {
		gateway, ok := netip.AddrFromSlice(subnet.Gateway)
		if ok && slices.ContainsFunc(addresses, func(local net.Addr) bool { return covers(local, gateway.Unmap()) }) {
			return true, nil
		}
	}
	return false, nil
}

// sharesNamespace tells whether the process that listens on a Unix socket is in
// the same namespace ("net", "pid") as this one. A process that cannot be seen
// from here is not.
func sharesNamespace(socket, kind string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	var peer *syscall.Ucred
	var fail error
	err = raw.Control(func(fd uintptr) {
		peer, fail = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || fail != nil || peer.Pid <= 0 {
		return false
	}
	return inNamespace(int(peer.Pid), kind)
}

// inNamespace reports whether most threads of a process are in this process's
// namespace of that kind. A service moves single threads to the namespaces of
// containers, its first one, too (seen with Podman 5.8).
func inNamespace(pid int, kind string) bool {
	ours, err := os.Readlink("/proc/self/ns/" + kind)
	if err != nil {
		return false
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/ns/%s", pid, kind))
	if err != nil {
		return false
	}
	here, elsewhere := 0, 0
	for _, thread := range threads {
		theirs, err := os.Readlink(thread)
		switch {
		case err != nil: // It has ended, or may not be looked at.
		case theirs == ours:
			here++
		default:
			elsewhere++
		}
	}
	return here > elsewhere
}

// covers tells whether an interface's network includes an address.
func covers(local net.Addr, address netip.Addr) bool {
	prefix, err := netip.ParsePrefix(local.String())
	return err == nil && prefix.Contains(address)
}

// listens tells whether a TCP port is listened on in the network of a process;
// known says whether that can be seen from here.
func listens(pid int, port uint16) (listening, known bool) {
	if pid <= 0 {
		return false, false
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/net/" + table)
		switch {
		case err == nil && listensIn(string(text), port):
			return true, true
		case err == nil:
			known = true
		case table == "tcp":
			// Only IPv6 may be missing on a host.
			return false, false
		}
	}
	return false, known
}

// listensIn looks through a table as in proc_pid_net(5): "sl local_address
// rem_address st ...", with ports in hexadecimal.
func listensIn(table string, port uint16) bool {
	const listening = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[3] == listening && strings.HasSuffix(fields[1], suffix) {
			return true
		}
	}
	return false
}
