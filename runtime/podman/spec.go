package podman

import (
	"cmp"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"syscall"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/specgen"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"go.podman.io/common/libnetwork/types"
	"go.podman.io/image/v5/manifest"

	"sage/runtime"
)

const (
	// logDriver is the one that can be read everywhere and bounded.
	logDriver = define.KubernetesLogging
	// shm is where POSIX shared memory is (shm_overview(7)).
	shm = "/dev/shm"
	// logBytes bounds what a container's log takes on the host.
	logBytes = 10 << 20
)

// translate puts a spec into the engine's words. Its error is about the spec:
// what the engine would take for something else than what the contract says is
// refused here, the rest is judged by the engine.
func translate(spec runtime.Spec, info runtime.Info) (*specgen.SpecGenerator, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	yes, no := true, false
	// The contract's signal, also for an image that names another.
	signal := syscall.SIGTERM
	g := specgen.NewSpecGenerator(spec.Image, false)

	g.Name = spec.Name
	g.Hostname = spec.Hostname
	g.Env = maps.Clone(spec.Env)
	g.Labels = maps.Clone(spec.Labels)
	// Nothing of the service's own surroundings gets in.
	g.EnvHost = &no
	g.HTTPProxy = &no
	g.SdNotifyMode = define.SdNotifyModeIgnore
	g.Systemd = "false"
	g.StopSignal = &signal
	g.RestartPolicy = define.RestartPolicyNo
	g.LogConfiguration = &specgen.LogConfig{Driver: logDriver, Size: logBytes}
	// Podman's checks need timers of systemd; readiness is the caller's matter.
	g.HealthConfig = &manifest.Schema2HealthConfig{Test: []string{"NONE"}}

	g.CapDrop = []string{"all"}
	g.NoNewPrivileges = &yes
	if spec.ReadOnly {
		g.ReadOnlyFilesystem = &yes
		// Podman would add writable directories of its own.
		g.ReadWriteTmpfs = &no
	}

	g.NetNS = networkMode(info.Rootless)
	if spec.Network != "" {
		g.NetNS = specgen.Namespace{NSMode: specgen.Bridge}
		g.Networks = map[string]types.PerNetworkOptions{spec.Network: {}}
	}
	g.PortMappings = ports(spec.Ports)
	g.Mounts = tmpfs(spec.Tmpfs)
	if !slices.ContainsFunc(spec.Tmpfs, func(m runtime.TmpfsMount) bool { return path.Clean(m.Path) == shm }) {
		g.Mounts = append(g.Mounts, sharedMemory(spec.Limits.ShmBytes))
	}
	g.Volumes = namedVolumes(spec.Volumes)
	g.ResourceLimits = limits(spec.Limits, info.Capabilities)
	return g, nil
}

// networkMode is always said, because a host's configuration may have another
// default. Without root it is left to the version, which knows its own helper
// (the old one is gone from newer versions).
func networkMode(rootless bool) specgen.Namespace {
	if rootless {
		return specgen.Namespace{NSMode: specgen.Default}
	}
	return specgen.Namespace{NSMode: specgen.Bridge}
}

func ports(published []runtime.PortBinding) []types.PortMapping {
	out := make([]types.PortMapping, 0, len(published))
	for _, port := range published {
		out = append(out, types.PortMapping{
			HostIP:        port.HostIP.Unmap().String(),
			HostPort:      port.HostPort,
			ContainerPort: port.ContainerPort,
			Protocol:      "tcp",
		})
	}
	return out
}

func tmpfs(mounts []runtime.TmpfsMount) []specs.Mount {
	out := make([]specs.Mount, 0, len(mounts))
	for _, mount := range mounts {
		// Empty at the start, as on other engines.
		options := []string{"rw", "nosuid", "nodev", "mode=1777", "notmpcopyup"}
		if mount.Bytes > 0 {
			options = append(options, "size="+strconv.FormatInt(mount.Bytes, 10))
		}
		out = append(out, specs.Mount{Destination: mount.Path, Type: "tmpfs", Source: "tmpfs", Options: options})
	}
	return out
}

// sharedMemory mounts /dev/shm, as the engine does it for a container whose root
// file system is writable. Since version 4.7 the engine's own is read-only where
// the root file system is and ReadWriteTmpfs is off (its pull request 19422).
func sharedMemory(size int64) specs.Mount {
	const usual = 64 << 20
	return specs.Mount{Destination: shm, Type: "tmpfs", Source: "shm", Options: []string{
		"rw", "nosuid", "nodev", "noexec", "mode=1777", "notmpcopyup", "size=" + strconv.FormatInt(cmp.Or(size, usual), 10),
	}}
}

func namedVolumes(mounts []runtime.VolumeMount) []*specgen.NamedVolume {
	out := make([]*specgen.NamedVolume, 0, len(mounts))
	for _, mount := range mounts {
		out = append(out, &specgen.NamedVolume{Name: mount.Volume, Dest: mount.Path})
	}
	return out
}

// limits are those that the engine honours; one that it does not would keep the
// container from starting.
func limits(bound runtime.Limits, can runtime.Capabilities) *specs.LinuxResources {
	var out specs.LinuxResources
	if bound.CPUs > 0 && can.CPULimit {
		// The kernel takes no quota below a millisecond.
		const microseconds, least = 100_000, 1_000
		period := uint64(microseconds)
		quota := max(int64(math.Round(bound.CPUs*microseconds)), least)
		out.CPU = &specs.LinuxCPU{Period: &period, Quota: &quota}
	}
	if bound.MemoryBytes > 0 && can.MemoryLimit {
		memory, swap := bound.MemoryBytes, bound.MemoryBytes
		out.Memory = &specs.LinuxMemory{Limit: &memory, Swap: &swap}
	}
	if bound.PIDs > 0 && can.PIDsLimit {
		out.Pids = &specs.LinuxPids{Limit: bound.PIDs}
	}
	if out.CPU == nil && out.Memory == nil && out.Pids == nil {
		return nil
	}
	return &out
}
