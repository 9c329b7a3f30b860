package runtime

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestSelf(t *testing.T) {
	a, b := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	tests := []struct {
		name                 string
		mounts, groups, host string
		want                 []string
	}{
		{
			"Docker, cgroup v2",
			"610 600 254:0 /var/lib/docker/containers/" + a + "/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw\n",
			"0::/\n", a[:12], []string{a, a[:12]},
		},
		{
			"Podman without root",
			"99 90 0:45 /containers/overlay-containers/" + b + "/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n", "0::/\n", "sage", []string{b},
		},
		{"control groups only", "", "4:memory:/docker/" + a + "\n1:name=systemd:/machine.slice/libpod-" + b + ".scope\n", "", []string{a, b}},
		{"the inner one of two", "", "0::/docker/" + a + "/docker/" + b + "\n", "", []string{b}},
		{
			"a host with containers",
			"70 25 0:60 / /var/lib/docker/overlay2/" + a + "/merged rw - overlay overlay rw\n" +
				"71 25 0:61 / /var/lib/docker/containers/" + a + "/mounts/shm rw - tmpfs shm rw\n",
			"0::/system.slice/sage.service\n", "build-host", nil,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := self(test.mounts, test.groups, test.host); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAttached(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	engines, a, b := Network{Name: "bridge", Address: here}, Network{Name: "a", Address: here}, Network{Name: "desktops", Address: here}
	other := Network{Name: "other", Address: netip.MustParseAddr("192.0.2.7")}
	got := Attached([]Network{other, b, engines, a, {Name: "none"}}, "bridge")
	if want := []Network{a, b, engines}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
