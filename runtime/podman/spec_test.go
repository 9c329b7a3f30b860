package podman

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/containers/podman/v5/pkg/specgen"

	"sage/runtime"
)

func able() runtime.Info {
	return runtime.Info{Capabilities: runtime.Capabilities{CPULimit: true, MemoryLimit: true, PIDsLimit: true}}
}

func fullSpec() runtime.Spec {
	return runtime.Spec{
		Name:     "desk",
		Image:    "localhost/sage/desktop:latest",
		Hostname: "desk",
		Env:      map[string]string{"A": "b"},
		Labels:   map[string]string{"l": "v"},
		Ports:    []runtime.PortBinding{{ContainerPort: 5900, HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 11000}},
		Volumes:  []runtime.VolumeMount{{Volume: "home", Path: "/home/app"}},
		Tmpfs:    []runtime.TmpfsMount{{Path: "/tmp", Bytes: 1 << 20}, {Path: "/run"}},
		ReadOnly: true,
		Limits:   runtime.Limits{CPUs: 1.5, MemoryBytes: 1 << 28, PIDs: 99, ShmBytes: 1 << 26},
	}
}

func TestTranslate(t *testing.T) {
	g, err := translate(fullSpec(), able())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"name", g.Name, "desk"},
		{"image", g.Image, "localhost/sage/desktop:latest"},
		{"hostname", g.Hostname, "desk"},
		{"environment", g.Env["A"], "b"},
		{"label", g.Labels["l"], "v"},
		{"capabilities", g.CapDrop, []string{"all"}},
		{"no new privileges", *g.NoNewPrivileges, true},
		{"read-only", *g.ReadOnlyFilesystem, true},
		{"no writable directories of Podman's own", *g.ReadWriteTmpfs, false},
		{"network", g.NetNS.NSMode, specgen.Bridge},
		{"host address", g.PortMappings[0].HostIP, "127.0.0.1"},
		{"host port", g.PortMappings[0].HostPort, uint16(11000)},
		{"container port", g.PortMappings[0].ContainerPort, uint16(5900)},
		{"volume", *g.Volumes[0], specgen.NamedVolume{Name: "home", Dest: "/home/app"}},
		{"sized tmpfs", g.Mounts[0].Options, []string{"rw", "nosuid", "nodev", "mode=1777", "notmpcopyup", "size=1048576"}},
		{"tmpfs", g.Mounts[1].Options, []string{"rw", "nosuid", "nodev", "mode=1777", "notmpcopyup"}},
		{"shared memory", g.Mounts[2].Destination, "/dev/shm"},
		{"shared memory's options", g.Mounts[2].Options, []string{"rw", "nosuid", "nodev", "noexec", "mode=1777", "notmpcopyup", "size=67108864"}},
		{"cpu quota", *g.ResourceLimits.CPU.Quota, int64(150_000)},
		{"cpu period", *g.ResourceLimits.CPU.Period, uint64(100_000)},
		{"memory", *g.ResourceLimits.Memory.Limit, int64(1 << 28)},
		{"memory and swap", *g.ResourceLimits.Memory.Swap, int64(1 << 28)},
		{"health check", g.HealthConfig.Test, []string{"NONE"}},
		{"restart", g.RestartPolicy, "no"},
		{"systemd", g.Systemd, "false"},
		{"log driver", g.LogConfiguration.Driver, "k8s-file"},
		{"log size", g.LogConfiguration.Size, int64(10 << 20)},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestTranslateLeavesOutWhatTheEngineIgnores(t *testing.T) {
	g, err := translate(fullSpec(), runtime.Info{Rootless: true})
	if err != nil {
		t.Fatal(err)
	}
	if g.ResourceLimits != nil {
		t.Errorf("limits: %+v", g.ResourceLimits)
	}
	if len(g.Mounts) != 3 || g.Mounts[2].Destination != "/dev/shm" {
		t.Error("/dev/shm is honoured everywhere, but was left out")
	}
	if g.NetNS.NSMode != specgen.Default {
		t.Errorf("network %q", g.NetNS.NSMode)
	}
}

func TestTranslateRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*runtime.Spec){
		"no name":              func(s *runtime.Spec) { s.Name = "" },
		"name with a slash":    func(s *runtime.Spec) { s.Name = "a/b" },
		"no image":             func(s *runtime.Spec) { s.Image = "" },
		"no host port":         func(s *runtime.Spec) { s.Ports[0].HostPort = 0 },
		"no host address":      func(s *runtime.Spec) { s.Ports[0].HostIP = netip.Addr{} },
		"volume path":          func(s *runtime.Spec) { s.Volumes[0].Path = "home" },
		"volume without name":  func(s *runtime.Spec) { s.Volumes[0].Volume = "" },
		"tmpfs path":           func(s *runtime.Spec) { s.Tmpfs[0].Path = "tmp" },
		"negative memory":      func(s *runtime.Spec) { s.Limits.MemoryBytes = -1 },
		"environment with '='": func(s *runtime.Spec) { s.Env["a=b"] = "c" },
	} {
		t.Run(name, func(t *testing.T) {
			spec := fullSpec()
			spoil(&spec)
			if _, err := translate(spec, able()); err == nil {
				t.Error("accepted")
			}
		})
	}
}
