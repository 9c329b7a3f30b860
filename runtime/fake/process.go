package fake

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"

	"sage/runtime"
)

// Program is what an image runs, and returns its exit code. The context ends
// when the container is asked to end (Stop) and when it is killed; a program
// that wants to be stubborn ignores it and watches Process.Killed, which it must
// not ignore: an ended container's goroutine has to return.
type Program func(ctx context.Context, p *Process) int

// Process is a running container from within. It is safe for concurrent use.
type Process struct {
	runtime   *Runtime
	container *container
}

// Spec is what the container was made from.
func (p *Process) Spec() runtime.Spec { return clone(p.container.spec) }

// Killed is closed when the container does not run any more.
func (p *Process) Killed() <-chan struct{} { return p.container.ended }

// Getenv is the value of a variable; empty if there is none.
func (p *Process) Getenv(name string) string { return p.env()[name] }

// Environ is the environment as "name=value", sorted.
func (p *Process) Environ() []string {
	var environ []string
	for name, value := range p.env() {
		environ = append(environ, name+"="+value)
	}
	slices.Sort(environ)
	return environ
}

func (p *Process) env() map[string]string {
	env := map[string]string{}
	maps.Copy(env, p.container.image.Env)
	maps.Copy(env, p.container.spec.Env)
	return env
}

// Hostname is that of the spec, or the identifier as with real engines.
func (p *Process) Hostname() (string, error) {
	if name := p.container.spec.Hostname; name != "" {
		return name, nil
	}
	return string(p.container.id[:12]), nil
}

// Stdout and Stderr are kept for Logs.
func (p *Process) Stdout() io.Writer { return p.container.log }

// Stderr is kept for Logs, together with Stdout.
func (p *Process) Stderr() io.Writer { return p.container.log }

// AwaitReader has nothing to wait for: what is printed is kept at once.
func (p *Process) AwaitReader() {}

// Listen listens on a port of the container. The connections are pipes without a
// buffer: a write waits for the reader.
func (p *Process) Listen(port uint16) (net.Listener, error) { return p.container.listen(port) }

// ReadFile reads a file of a volume, a memory file system or the image.
func (p *Process) ReadFile(path string) ([]byte, error) {
	c := p.container
	p.runtime.mu.Lock()
	defer p.runtime.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	var data []byte
	var there bool
	switch place := c.place(path); {
	case path == "/proc/self/mounts":
		data, there = []byte("shm /dev/shm tmpfs rw,nosuid,nodev,noexec 0 0\n"), true
	case place.volume != "":
		var v *volume
		if v, there = p.runtime.volumes[place.volume]; there {
			data, there = v.files[place.inside]
		}
	default:
		data, there = c.own[path]
		if !there && !place.memory {
			data, there = c.image.Files[path]
		}
	}
	if !there {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return slices.Clone(data), nil
}

// WriteFile writes a file to a volume, to a memory file system, or to the root
// file system if that is not read-only. Directories need not be made.
func (p *Process) WriteFile(path string, data []byte) error {
	c := p.container
	p.runtime.mu.Lock()
	defer p.runtime.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	place := c.place(path)
	switch {
	case place.volume != "":
		if volume, there := p.runtime.volumes[place.volume]; there {
			volume.files[place.inside] = slices.Clone(data)
			return nil
		}
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrNotExist}
	case c.spec.ReadOnly && !place.memory:
		return &fs.PathError{Op: "write", Path: path, Err: syscall.EROFS}
	case place.memory && place.bytes > 0 && int64(len(data)) > place.bytes:
		return &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	c.own[path] = slices.Clone(data)
	return nil
}

// Size is the size in bytes of the memory file system that holds path; other
// file systems have none.
func (p *Process) Size(path string) (int64, error) {
	place := p.container.place(strings.TrimSuffix(path, "/") + "/")
	if !place.memory {
		return 0, fmt.Errorf("size of %s: %w", path, runtime.ErrUnsupported)
	}
	return place.bytes, nil
}

// place is the file system that holds a path.
type place struct {
	// volume and inside are set for a volume.
	volume, inside string
	// memory and bytes are set for a memory file system.
	memory bool
	bytes  int64
}

// place looks for the longest mount point above path.
func (c *container) place(path string) place {
	const (
		shm      = "/dev/shm"
		shmBytes = 64 << 20
	)
	var found place
	longest := ""
	consider := func(at string, p place) {
		inside, under := relative(at, path)
		if under && len(at) > len(longest) {
			p.inside = inside
			found, longest = p, at
		}
	}
	bytes := c.spec.Limits.ShmBytes
	if bytes == 0 {
		bytes = shmBytes
	}
	consider(shm, place{memory: true, bytes: bytes})
	for _, mount := range c.spec.Volumes {
		consider(mount.Path, place{volume: mount.Volume})
	}
	for _, mount := range c.spec.Tmpfs {
		consider(mount.Path, place{memory: true, bytes: mount.Bytes})
	}
	return found
}
