package fake

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"sage/runtime"
)

// validate refuses what no engine takes. It is strict where the contract is.
func validate(spec runtime.Spec) error {
	name := regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	switch {
	case !name.MatchString(spec.Name):
		return fmt.Errorf("the name %q is malformed", spec.Name)
	case spec.Image == "":
		return fmt.Errorf("the image is empty")
	}
	for key := range spec.Env {
		if key == "" || strings.Contains(key, "=") {
			return fmt.Errorf("the environment name %q is malformed", key)
		}
	}
	for _, port := range spec.Ports {
		if !port.HostIP.IsValid() || port.HostPort == 0 || port.ContainerPort == 0 {
			return fmt.Errorf("the port binding %+v is incomplete", port)
		}
	}
	var paths []string
	for _, mount := range spec.Volumes {
		if !name.MatchString(mount.Volume) {
			return fmt.Errorf("the volume name %q is malformed", mount.Volume)
		}
		paths = append(paths, mount.Path)
	}
	for _, mount := range spec.Tmpfs {
		if mount.Bytes < 0 {
			return fmt.Errorf("the size of %s is negative", mount.Path)
		}
		paths = append(paths, mount.Path)
	}
	for i, path := range paths {
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("the path %q is not absolute", path)
		}
		if slices.Contains(paths[:i], path) {
			return fmt.Errorf("two things are mounted at %s", path)
		}
	}
	limits := spec.Limits
	if limits.CPUs < 0 || limits.MemoryBytes < 0 || limits.PIDs < 0 || limits.ShmBytes < 0 {
		return fmt.Errorf("a limit is negative: %+v", limits)
	}
	return nil
}

// clone makes a spec independent of the caller's.
func clone(spec runtime.Spec) runtime.Spec {
	spec.Env = maps.Clone(spec.Env)
	spec.Labels = maps.Clone(spec.Labels)
	spec.Ports = slices.Clone(spec.Ports)
	spec.Volumes = slices.Clone(spec.Volumes)
	spec.Tmpfs = slices.Clone(spec.Tmpfs)
	return spec
}

// address is an address of 10.88.0.0/16 for the container of that number.
func address(serial uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(88 + serial>>16), byte(serial >> 8), byte(serial)})
}
