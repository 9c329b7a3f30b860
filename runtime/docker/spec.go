package docker

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"sage/runtime"
)

// request is a container in the words of the engine.
type request struct {
	name       string
	config     *container.Config
	host       *container.HostConfig
	networking *network.NetworkingConfig
}

// translate puts a spec into the engine's words. Its error is about the spec:
// what the engine would take for something else than what the contract says is
// refused here, the rest is judged by the engine.
func translate(spec runtime.Spec, can runtime.Capabilities, logDriver string) (request, error) {
	if err := spec.Validate(); err != nil {
		return request{}, err
	}
	exposed, bindings := ports(spec.Ports)
	return request{
		name: spec.Name,
		config: &container.Config{
			Hostname:     spec.Hostname,
			Image:        spec.Image,
			Env:          environment(spec.Env),
			Labels:       spec.Labels,
			ExposedPorts: exposed,
			// The contract's signal, also for an image that names another.
			StopSignal: "SIGTERM",
		},
		host: &container.HostConfig{
			NetworkMode:    container.NetworkMode(cmp.Or(spec.Network, bridge)),
			PortBindings:   bindings,
			CapDrop:        []string{"ALL"},
			SecurityOpt:    []string{"no-new-privileges"},
			ReadonlyRootfs: spec.ReadOnly,
			RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
			ShmSize:        spec.Limits.ShmBytes,
			Mounts:         mounts(spec.Volumes),
			Tmpfs:          tmpfs(spec.Tmpfs),
			LogConfig:      logging(logDriver),
			Resources:      resources(spec.Limits, can),
		},
		networking: &network.NetworkingConfig{},
	}, nil
}

// environment is sorted, so that equal specs make equal requests.
func environment(values map[string]string) []string {
	out := make([]string, 0, len(values))
	for name, value := range values {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

func ports(published []runtime.PortBinding) (nat.PortSet, nat.PortMap) {
	exposed, bindings := nat.PortSet{}, nat.PortMap{}
	for _, port := range published {
		key := portKey(port.ContainerPort)
		exposed[key] = struct{}{}
		bindings[key] = append(bindings[key], nat.PortBinding{
			HostIP:   port.HostIP.Unmap().String(),
			HostPort: strconv.Itoa(int(port.HostPort)),
		})
	}
	return exposed, bindings
}

// portKey is the engine's name of a TCP port.
func portKey(port uint16) nat.Port {
	return nat.Port(strconv.Itoa(int(port)) + "/tcp")
}

func mounts(volumes []runtime.VolumeMount) []mount.Mount {
	out := make([]mount.Mount, 0, len(volumes))
	for _, volume := range volumes {
		out = append(out, mount.Mount{Type: mount.TypeVolume, Source: volume.Volume, Target: volume.Path})
	}
	return out
}

func tmpfs(memory []runtime.TmpfsMount) map[string]string {
	out := make(map[string]string, len(memory))
	for _, m := range memory {
		options := "mode=1777"
		if m.Bytes > 0 {
			options += ",size=" + strconv.FormatInt(m.Bytes, 10)
		}
		out[m.Path] = options
	}
	return out
}

// logging bounds what a talkative container may fill the host's disk with.
func logging(driver string) container.LogConfig {
	if driver == "" {
		return container.LogConfig{}
	}
	return container.LogConfig{Type: driver, Config: map[string]string{"max-size": "1m", "max-file": "2"}}
}

// resources are the limits that the engine honours.
func resources(limits runtime.Limits, can runtime.Capabilities) container.Resources {
	var out container.Resources
	if limits.CPUs > 0 && can.CPULimit {
		// A quota and not NanoCPUs, which the engine refuses above the number of
		// the host's cores; such a limit is just kept.
		const period = 100_000
		out.CPUPeriod = period
		out.CPUQuota = int64(math.Round(limits.CPUs * period))
	}
	if limits.MemoryBytes > 0 && can.MemoryLimit {
		out.Memory = limits.MemoryBytes
		// Memory and swap together: as much, so no swap.
		out.MemorySwap = limits.MemoryBytes
	}
	if limits.PIDs > 0 && can.PIDsLimit {
		out.PidsLimit = &limits.PIDs
	}
	return out
}
