package runtime

import (
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Self names the containers that this process may run in: whole identifiers, or
// their beginnings. Nothing of it is certain, and what it names may be unknown to
// the engine that is asked: whoever asks an engine also wants Attached to agree.
// Outside of containers there are none.
func Self() []string {
	// What is not to be read, on a system without it, names no container.
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	groups, _ := os.ReadFile("/proc/self/cgroup")
	host, _ := os.Hostname()
	return self(string(mounts), string(groups), host)
}

// self looks where engines leave the identifier: in the place from which they
// mount files such as /etc/hostname (proc_pid_mountinfo(5), the fields root and
// mount point), in the name of the control group, and in the host's name.
func self(mounts, groups, host string) []string {
	whole := regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	var found []string
	note := func(text string) {
		if ids := whole.FindAllString(text, -1); len(ids) > 0 && !slices.Contains(found, ids[len(ids)-1]) {
			found = append(found, ids[len(ids)-1])
		}
	}
	for line := range strings.Lines(mounts) {
		// On a host there are mounts for every container, but none upon these.
		fields := strings.Fields(line)
		if len(fields) > 4 && slices.Contains([]string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv"}, fields[4]) {
			note(fields[3])
		}
	}
	for line := range strings.Lines(groups) {
		note(line)
	}
	if regexp.MustCompile(`^[0-9a-f]{12,64}$`).MatchString(host) {
		found = append(found, host)
	}
	return found
}

// Attached gives those of a container's networks on which this process has the
// container's address, which it has when it runs in it. They are sorted by name,
// with the engine's own network at last.
func Attached(networks []Network, engines string) []Network {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	joined := slices.DeleteFunc(slices.Clone(networks), func(n Network) bool {
		return !slices.ContainsFunc(addresses, func(a net.Addr) bool {
			prefix, err := netip.ParsePrefix(a.String())
			return err == nil && prefix.Addr() == n.Address
		})
	})
	slices.SortFunc(joined, func(a, b Network) int {
		switch {
		case a.Name == engines:
			return 1
		case b.Name == engines:
			return -1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return joined
}
