package fake

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"sage/runtime"
)

// What a person or another program does to the engine past its owners. It succeeds
// whatever faults there are.

// Rename gives a container another name. It reports whether there was such a
// container and the name was free.
func (r *Runtime) Rename(id runtime.ID, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, there := r.containers[id]
	if !there || r.named(name) {
		return false
	}
	c.spec.Name = name
	return true
}

// Copy makes a container of that name with the labels, environment and volumes of
// another one, as those who commit a container and run the image or who recreate it
// do, and starts it. It publishes no port.
func (r *Runtime) Copy(id runtime.ID, name string) (runtime.ID, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, there := r.containers[id]
	if !there {
		return "", errors.New("there is no such container")
	}
	return r.runCopy(c.spec, c.image, name)
}

// Recreate removes a container and makes one that differs in its identifier only, as
// programs that update containers do, and starts it. It publishes no port.
func (r *Runtime) Recreate(id runtime.ID) (runtime.ID, error) {
	r.mu.Lock()
	c, there := r.containers[id]
	r.mu.Unlock()
	if !there || !r.remove(id) {
		return "", errors.New("there is no such container")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runCopy(c.spec, c.image, c.spec.Name)
}

// runCopy makes and starts a container of that name. The lock is held.
func (r *Runtime) runCopy(spec runtime.Spec, img *image, name string) (runtime.ID, error) {
	if r.named(name) {
		return "", fmt.Errorf("the name %s is in use", name)
	}
	spec = clone(spec)
	spec.Name, spec.Ports = name, nil
	for _, mount := range spec.Volumes {
		if _, there := r.volumes[mount.Volume]; !there {
			r.volumes[mount.Volume] = &volume{files: map[string][]byte{}}
		}
	}
	c := newContainer(runtime.ID(r.identifier("container")), spec, img, time.Now())
	c.address = address(r.serial)
	r.containers[c.id] = c
	r.run(c)
	return c.id, nil
}

// named reports whether a container has that name. The lock is held.
func (r *Runtime) named(name string) bool {
	for _, c := range r.containers {
		if c.spec.Name == name {
			return true
		}
	}
	return false
}

// Prune removes the volumes that no container uses, and returns their names.
func (r *Runtime) Prune() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	used := map[string]bool{}
	for _, c := range r.containers {
		for _, mount := range c.spec.Volumes {
			used[mount.Volume] = true
		}
	}
	var pruned []string
	for name := range maps.Clone(r.volumes) {
		if !used[name] {
			delete(r.volumes, name)
			pruned = append(pruned, name)
		}
	}
	slices.Sort(pruned)
	return pruned
}

// WriteVolume writes a file into a volume. It reports whether there is such a volume.
func (r *Runtime) WriteVolume(name, path string, data []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, there := r.volumes[name]
	if there {
		v.files[path] = slices.Clone(data)
	}
	return there
}

// ReadVolume reads a file of a volume; nil where there is none.
func (r *Runtime) ReadVolume(name, path string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, there := r.volumes[name]; there {
		return slices.Clone(v.files[path])
	}
	return nil
}

// LagList lets List show a container as running for so long after its end, as Docker
// does for some milliseconds.
func (r *Runtime) LagList(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listLag = d
}
