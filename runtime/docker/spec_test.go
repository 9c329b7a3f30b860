package docker

import (
	"math"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"

	"sage/runtime"
)

// able are the capabilities of an engine that honours every limit.
func able() runtime.Capabilities {
	return runtime.Capabilities{CPULimit: true, MemoryLimit: true, PIDsLimit: true}
}

func TestTranslateAlwaysDropsPrivileges(t *testing.T) {
	q, err := translate(runtime.Spec{Name: "a", Image: "localhost/sage/testapp:latest"}, able(), "json-file")
	if err != nil {
		t.Fatal(err)
	}
	h := q.host
	if !slices.Equal(h.CapDrop, []string{"ALL"}) || len(h.CapAdd) > 0 || h.Privileged {
		t.Errorf("capabilities: drop %v, add %v, privileged %v", h.CapDrop, h.CapAdd, h.Privileged)
	}
	if !slices.Contains(h.SecurityOpt, "no-new-privileges") {
		t.Errorf("security options: %v", h.SecurityOpt)
	}
	if h.AutoRemove || h.Init != nil || h.RestartPolicy.Name != container.RestartPolicyDisabled {
		t.Errorf("auto remove %v, init %v, restart %q", h.AutoRemove, h.Init, h.RestartPolicy.Name)
	}
	if h.NetworkMode != "bridge" {
		t.Errorf("network mode %q", h.NetworkMode)
	}
	if q.config.StopSignal != "SIGTERM" {
		t.Errorf("stop signal %q", q.config.StopSignal)
	}
	if h.LogConfig.Type != "json-file" || h.LogConfig.Config["max-size"] == "" {
		t.Errorf("logs are not bounded: %+v", h.LogConfig)
	}
}

func TestTranslate(t *testing.T) {
	const name, image = "sage-1", "localhost/sage/testapp:latest"
	tests := []struct {
		name string
		spec runtime.Spec
		can  runtime.Capabilities
		got  func(request) any
		want any
	}{
		{
			name: "environment is sorted",
			spec: runtime.Spec{Env: map[string]string{"B": "2=2", "A": "1", "C": ""}},
			got:  func(q request) any { return q.config.Env },
			want: []string{"A=1", "B=2=2", "C="},
		},
		{
			name: "hostname and labels",
			spec: runtime.Spec{Hostname: "desk", Labels: map[string]string{"a": "b"}},
			got:  func(q request) any { return []any{q.config.Hostname, q.config.Labels} },
			want: []any{"desk", map[string]string{"a": "b"}},
		},
		{
			name: "a port on two addresses",
			spec: runtime.Spec{Ports: []runtime.PortBinding{
				{ContainerPort: 80, HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 8000},
				{ContainerPort: 80, HostIP: netip.MustParseAddr("::1"), HostPort: 8001},
			}},
			got: func(q request) any { return q.host.PortBindings },
			want: nat.PortMap{"80/tcp": {
				{HostIP: "127.0.0.1", HostPort: "8000"}, {HostIP: "::1", HostPort: "8001"},
			}},
		},
		{
			name: "published ports are exposed",
			spec: runtime.Spec{Ports: []runtime.PortBinding{
				{ContainerPort: 80, HostIP: netip.MustParseAddr("::ffff:127.0.0.1"), HostPort: 8000},
			}},
			got:  func(q request) any { return []any{q.config.ExposedPorts, q.host.PortBindings["80/tcp"][0].HostIP} },
			want: []any{nat.PortSet{"80/tcp": {}}, "127.0.0.1"},
		},
		{
			name: "volumes do not carry the container's labels",
			spec: runtime.Spec{
				Labels:  map[string]string{"a": "b"},
				Volumes: []runtime.VolumeMount{{Volume: "home", Path: "/home/user"}},
			},
			got:  func(q request) any { return q.host.Mounts },
			want: []mount.Mount{{Type: mount.TypeVolume, Source: "home", Target: "/home/user"}},
		},
		{
			name: "tmpfs",
			spec: runtime.Spec{ReadOnly: true, Tmpfs: []runtime.TmpfsMount{{Path: "/tmp"}, {Path: "/run", Bytes: 4096}}},
			got:  func(q request) any { return []any{q.host.ReadonlyRootfs, q.host.Tmpfs} },
			want: []any{true, map[string]string{"/tmp": "mode=1777", "/run": "mode=1777,size=4096"}},
		},
		{
			name: "cpus become a quota, also above the host's",
			spec: runtime.Spec{Limits: runtime.Limits{CPUs: 64.5}},
			can:  able(),
			got: func(q request) any {
				return []int64{q.host.CPUPeriod, q.host.CPUQuota, q.host.NanoCPUs}
			},
			want: []int64{100_000, 6_450_000, 0},
		},
		{
			name: "memory includes swap",
			spec: runtime.Spec{Limits: runtime.Limits{MemoryBytes: 1 << 30}},
			can:  able(),
			got:  func(q request) any { return []int64{q.host.Memory, q.host.MemorySwap} },
			want: []int64{1 << 30, 1 << 30},
		},
		{
			name: "pids and shm",
			spec: runtime.Spec{Limits: runtime.Limits{PIDs: 100, ShmBytes: 1 << 20}},
			can:  able(),
			got:  func(q request) any { return []int64{*q.host.PidsLimit, q.host.ShmSize} },
			want: []int64{100, 1 << 20},
		},
		{
			name: "no limits asked for",
			can:  able(),
			got:  func(q request) any { return q.host.Resources },
			want: container.Resources{},
		},
		{
			name: "limits that are not honoured are left out, shm is not",
			spec: runtime.Spec{Limits: runtime.Limits{CPUs: 1, MemoryBytes: 1 << 30, PIDs: 10, ShmBytes: 1 << 20}},
			got:  func(q request) any { return []any{q.host.Resources, q.host.ShmSize} },
			want: []any{container.Resources{}, int64(1 << 20)},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.spec.Name, test.spec.Image = name, image
			q, err := translate(test.spec, test.can, "")
			if err != nil {
				t.Fatal(err)
			}
			if q.name != name || q.config.Image != image {
				t.Errorf("name %q, image %q", q.name, q.config.Image)
			}
			if got := test.got(q); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestTranslateRefuses(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	tests := []struct {
		name  string
		spoil func(*runtime.Spec)
	}{
		{"no name", func(s *runtime.Spec) { s.Name = "" }},
		{"name with a slash", func(s *runtime.Spec) { s.Name = "a/b" }},
		{"name that starts with a dot", func(s *runtime.Spec) { s.Name = ".a" }},
		{"name with a query", func(s *runtime.Spec) { s.Name = "a?b" }},
		{"no image", func(s *runtime.Spec) { s.Image = "" }},
		{"environment name with =", func(s *runtime.Spec) { s.Env = map[string]string{"A=B": "c"} }},
		{"empty environment name", func(s *runtime.Spec) { s.Env = map[string]string{"": "c"} }},
		{"zero byte in the environment", func(s *runtime.Spec) { s.Env = map[string]string{"A": "b\x00c"} }},
		{"no host port", func(s *runtime.Spec) { s.Ports = []runtime.PortBinding{{ContainerPort: 1, HostIP: loopback}} }},
		{"no container port", func(s *runtime.Spec) { s.Ports = []runtime.PortBinding{{HostPort: 1, HostIP: loopback}} }},
		{"no host address", func(s *runtime.Spec) { s.Ports = []runtime.PortBinding{{ContainerPort: 1, HostPort: 1}} }},
		{"anonymous volume", func(s *runtime.Spec) { s.Volumes = []runtime.VolumeMount{{Path: "/a"}} }},
		{"path as volume", func(s *runtime.Spec) { s.Volumes = []runtime.VolumeMount{{Volume: "/etc", Path: "/a"}} }},
		{"relative volume path", func(s *runtime.Spec) { s.Volumes = []runtime.VolumeMount{{Volume: "v", Path: "a"}} }},
		{"relative tmpfs path", func(s *runtime.Spec) { s.Tmpfs = []runtime.TmpfsMount{{Path: "a"}} }},
		{"negative tmpfs", func(s *runtime.Spec) { s.Tmpfs = []runtime.TmpfsMount{{Path: "/a", Bytes: -1}} }},
		{"negative cpus", func(s *runtime.Spec) { s.Limits.CPUs = -1 }},
		{"cpus that are no number", func(s *runtime.Spec) { s.Limits.CPUs = math.NaN() }},
		{"negative memory", func(s *runtime.Spec) { s.Limits.MemoryBytes = -1 }},
		{"negative pids", func(s *runtime.Spec) { s.Limits.PIDs = -1 }},
		{"negative shm", func(s *runtime.Spec) { s.Limits.ShmBytes = -1 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := runtime.Spec{Name: "a", Image: "localhost/a:b"}
			test.spoil(&spec)
			if _, err := translate(spec, able(), ""); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}
