package runtime

import (
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
)

// Validate refuses what engines would silently understand in another way: an
// empty name, for example, makes them choose one. Backends call it before they
// translate.
func (spec *Spec) Validate() error {
	if !ValidName(spec.Name) {
		return fmt.Errorf("container name %q: use letters, digits, '_', '.' and '-', starting with a letter or digit", spec.Name)
	}
	if spec.Image == "" {
		return errors.New("no image is named")
	}
	for name, value := range spec.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return fmt.Errorf("environment variable %q: a name has no '=', and neither name nor value a zero byte", name)
		}
	}
	if spec.Network == "host" || spec.Network == "none" || spec.Network != "" && !ValidName(spec.Network) {
		return fmt.Errorf("network %q: name a network that containers share", spec.Network)
	}
	for _, port := range spec.Ports {
		if port.ContainerPort == 0 || port.HostPort == 0 || !port.HostIP.IsValid() {
			return fmt.Errorf("port %d: host address and both ports are required", port.ContainerPort)
		}
	}
	mounted := map[string]bool{}
	for _, volume := range spec.Volumes {
		if !ValidName(volume.Volume) {
			return fmt.Errorf("volume name %q: use letters, digits, '_', '.' and '-', starting with a letter or digit", volume.Volume)
		}
		if !path.IsAbs(volume.Path) {
			return fmt.Errorf("volume %s: path %q is not absolute", volume.Volume, volume.Path)
		}
		if mounted[volume.Path] {
			return fmt.Errorf("volume %s: something else is mounted at %s", volume.Volume, volume.Path)
		}
		mounted[volume.Path] = true
	}
	for _, memory := range spec.Tmpfs {
		if !path.IsAbs(memory.Path) || memory.Bytes < 0 {
			return fmt.Errorf("tmpfs %q of %d bytes: the path is absolute and the size not negative", memory.Path, memory.Bytes)
		}
		if mounted[memory.Path] {
			return fmt.Errorf("tmpfs: something else is mounted at %s", memory.Path)
		}
		mounted[memory.Path] = true
	}
	limits := spec.Limits
	if !(limits.CPUs >= 0) || math.IsInf(limits.CPUs, 0) || limits.MemoryBytes < 0 || limits.PIDs < 0 || limits.ShmBytes < 0 {
		return fmt.Errorf("limits %+v: none may be negative", limits)
	}
	return nil
}

// ValidName tells whether containers, volumes and networks may be called so on every engine:
// letters, digits, '_', '.' and '-', starting with a letter or digit.
func ValidName(name string) bool {
	for i, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("_.-", rune(c))) {
			return false
		}
	}
	return name != ""
}
