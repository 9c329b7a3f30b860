package docker

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"
)

func TestOnBridge(t *testing.T) {
	bridge := network.Inspect{
		IPAM:       network.IPAM{Config: []network.IPAMConfig{{Subnet: "172.17.0.0/16"}}},
		Containers: map[string]network.EndpointResource{"1f": {IPv4Address: "172.17.0.5/16"}},
	}
	tests := []struct {
		name     string
		own      []string
		sameHost bool
		want     bool
	}{
		{"on the engine's host", []string{"127.0.0.1/8", "172.17.0.1/16"}, true, true},
		{"on another host with a bridge like it", []string{"127.0.0.1/8", "172.17.0.1/16"}, false, false},
		{"in a container on the bridge", []string{"172.17.0.5/16"}, false, true},
		{"in a container on another network", []string{"172.18.0.5/16"}, false, false},
		{"the engine is in a virtual machine", []string{"192.0.2.7/24"}, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var own []net.Addr
			for _, text := range test.own {
				ip, prefix, err := net.ParseCIDR(text)
				if err != nil {
					t.Fatal(err)
				}
				own = append(own, &net.IPNet{IP: ip, Mask: prefix.Mask})
			}
			if got := onBridge(bridge, own, test.sameHost); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	full := system.Info{
		ServerVersion: "28.0", CgroupVersion: "2", MemoryLimit: true, SwapLimit: true, CPUCfsQuota: true,
		PidsLimit: true, IPv4Forwarding: true,
	}
	got := describe(full)
	if len(got.Warnings) > 0 || got.Rootless || got.CgroupVersion != 2 || got.Version != "28.0" {
		t.Errorf("a healthy engine: %+v", got)
	}
	if c := got.Capabilities; !c.CPULimit || !c.MemoryLimit || !c.PIDsLimit {
		t.Errorf("a healthy engine's capabilities: %+v", c)
	}

	poor := full
	poor.MemoryLimit, poor.SwapLimit, poor.PidsLimit, poor.CgroupVersion = false, false, false, ""
	poor.SecurityOptions = []string{"name=seccomp,profile=default", "name=rootless"}
	poor.Warnings = []string{"WARNING: No memory limit support", "WARNING: bridge-nf-call-iptables is disabled"}
	got = describe(poor)
	if !got.Rootless || got.CgroupVersion != 0 {
		t.Errorf("a poor engine: %+v", got)
	}
	if c := got.Capabilities; !c.CPULimit || c.MemoryLimit || c.PIDsLimit {
		t.Errorf("a poor engine's capabilities: %+v", c)
	}
	count := func(part string) int {
		return len(slices.DeleteFunc(slices.Clone(got.Warnings), func(w string) bool { return !strings.Contains(w, part) }))
	}
	if len(got.Warnings) != 3 || count("limit memory") != 1 || count("number of processes") != 1 || count("bridge-nf-call-iptables") != 1 {
		t.Errorf("warnings: %q", got.Warnings)
	}
}

func TestEngineAddress(t *testing.T) {
	tests := map[string]string{
		"unix:///var/run/docker.sock": "", "tcp://192.0.2.1:2376": "192.0.2.1", "tcp://[2001:db8::1]:2376": "2001:db8::1",
	}
	for host, want := range tests {
		if got := engineAddress(host); got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}

func TestLogDriver(t *testing.T) {
	tests := map[string]string{"syslog json-file local": "json-file", "local syslog": "local", "syslog": ""}
	for drivers, want := range tests {
		if got := logDriver(strings.Fields(drivers)); got != want {
			t.Errorf("%s: got %q, want %q", drivers, got, want)
		}
	}
}
