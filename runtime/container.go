package runtime

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"
)

// ID is the engine's full identifier of a container. It is opaque.
type ID string

// Spec is a container to be made. Every container of Sage runs without any
// Linux capability and with no-new-privileges; there is no way to ask for more.
type Spec struct {
	// Name is unique on the engine: letters, digits, '_', '.' and '-', starting
	// with a letter or digit.
	Name string
	// Image is a fully qualified reference, for example
	// "localhost/sage/desktop:latest".
	Image string
	// Hostname is what the container calls itself; a fixed one keeps lock files
	// in a home valid over restarts. Empty means the engine's choice.
	Hostname string
	// Env is added to the image's environment.
	Env map[string]string
	// Labels go onto the container. Engines add those of its image.
	Labels map[string]string
	// Network is the name of a network of the engine; empty means the engine's
	// default. It has to exist.
	Network string
	// Ports are published on the host.
	Ports []PortBinding
	// Volumes are mounted.
	Volumes []VolumeMount
	// Tmpfs are memory file systems, writable by everybody in the container.
	Tmpfs []TmpfsMount
	// ReadOnly makes the root file system read-only.
	ReadOnly bool
	// Limits bound what the container may use.
	Limits Limits
}

// PortBinding publishes a TCP port of a container on the host.
type PortBinding struct {
	ContainerPort uint16
	// HostIP is the address it is published on; required.
	HostIP netip.Addr
	// HostPort is required: the caller chooses ports, the engine judges.
	HostPort uint16
}

// VolumeMount mounts a named volume. An empty volume is filled from what the
// image has at that path, with its owner.
type VolumeMount struct {
	Volume string
	// Path is absolute, in the container.
	Path string
}

// Volume describes a named volume.
type Volume struct {
	Name string
	// Labels are those that it was made with; nil where there are none.
	Labels map[string]string
}

// TmpfsMount mounts a memory file system.
type TmpfsMount struct {
	// Path is absolute, in the container.
	Path string
	// Bytes is its size; zero means the engine's default.
	Bytes int64
}

// Limits bound a container; zero means no limit. A limit that the engine does
// not honour (see Capabilities) is left out by the backend, so that the
// container starts; who needs to know asks Ping.
type Limits struct {
	// CPUs is in cores and may be fractional. More than the host has means all.
	CPUs float64
	// MemoryBytes bounds memory, swap included.
	MemoryBytes int64
	// PIDs is the number of processes and threads.
	PIDs int64
	// ShmBytes is the size of /dev/shm, honoured by every engine.
	ShmBytes int64
}

// Route connects to a TCP port of one container while that runs. It may be used at
// any time from any number of goroutines. The context governs the dialling only.
//
// Errors: those of Dial, but of a container that has ended it may say ErrRefused, or
// nothing before the context ends.
type Route func(ctx context.Context) (net.Conn, error)

// State says where a container is in its life.
type State string

// The states. An engine's own words are mapped onto them by its backend.
const (
	// StateCreated has never run.
	StateCreated State = "created"
	// StateRunning runs.
	StateRunning State = "running"
	// StatePaused runs, frozen.
	StatePaused State = "paused"
	// StateStopping is on its way out: being stopped or removed.
	StateStopping State = "stopping"
	// StateExited has run and ended.
	StateExited State = "exited"
)

// Alive tells whether there are processes in the container.
func (s State) Alive() bool { return s == StateRunning || s == StatePaused }

// Container describes a container at one moment.
type Container struct {
	ID   ID
	Name string
	// Image is the reference that the container was made from; in a List it may
	// be the identifier instead, where the reference names another image by now.
	Image  string
	Labels map[string]string
	State  State
	// CreatedAt is the engine's clock.
	CreatedAt time.Time

	// The following are only filled by Inspect.

	// StartedAt is zero before the start.
	StartedAt time.Time
	// Ports are the published ports.
	Ports []PortBinding
	// Address is the container's own address on its network; invalid while it
	// does not run or where it has none.
	Address netip.Addr
	// FinishedAt, ExitCode and OOMKilled describe the end of an exited container.
	FinishedAt time.Time
	ExitCode   int
	// OOMKilled says that the kernel ended it for using more memory than allowed;
	// see Capabilities.OOMReport.
	OOMKilled bool
}

// Selector chooses containers: those of which everything is true that it says.
type Selector struct {
	// Labels are carried, with equal values.
	Labels map[string]string
	// NamePrefix is what the name begins with.
	NamePrefix string
}

// Empty tells whether the selector says nothing, and so would choose all.
func (s Selector) Empty() bool { return len(s.Labels) == 0 && s.NamePrefix == "" }

// Matches tells whether the selector chooses a container. What an engine filters
// by itself it takes for patterns, so backends ask this, too.
func (s Selector) Matches(name string, labels map[string]string) bool {
	for key, value := range s.Labels {
		if got, ok := labels[key]; !ok || got != value {
			return false
		}
	}
	return strings.HasPrefix(name, s.NamePrefix)
}
