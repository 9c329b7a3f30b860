// Package fake is an engine in memory, for tests of what stands above the
// contract in package runtime. It passes the conformance suite, so what works
// on it keeps the contract; and it does on request what real engines do on bad
// days: calls fail or hang, containers die or vanish, the engine is away.
//
// Containers are goroutines that run a Program, and their connections are pipes
// in memory. Nothing in it waits for anything outside of the process, so it
// works inside testing/synctest. Several owners may share one Runtime, as they
// would share an engine.
//
// It must not know sessions, and it reads no files.
package fake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sage/runtime"
)

// backend is the name in errors and in Info.
const backend = "fake"

// Network is the only network that the engine has.
const Network = "fake"

// Options are how the engine is.
type Options struct {
	// Images are there from the start, by reference.
	Images map[string]Image
	// Build makes images that are asked for with a runtime.Build, and reports its
	// lines to log; nil means that no build succeeds. An error of it becomes
	// ErrImageNotFound, or ErrInvalid where it wraps that.
	Build func(ctx context.Context, req runtime.ImageRequest, log func(line string)) (Image, error)
	// Pull brings images that are asked for without one; nil means that no image
	// can be pulled.
	Pull func(ctx context.Context, ref string, progress func(runtime.Progress)) (Image, error)
	// Capabilities are what Ping claims. Only two change what the engine does:
	// without ContainerAddress Dial needs a published port, without Stats it counts
	// nothing.
	Capabilities runtime.Capabilities
	// ReservesPorts makes Create judge host ports, as Podman does at times;
	// otherwise Start does.
	ReservesPorts bool
}

// Image is something to run.
type Image struct {
	// Program runs; nil is one that cannot be executed.
	Program Program
	// Env is the image's environment.
	Env map[string]string
	// Files are its files by absolute path.
	Files map[string][]byte
	// Labels are the image's labels.
	Labels map[string]string
}

// image is an Image on the engine.
type image struct {
	Image
	id     string
	digest string
}

// Runtime is the engine. It is safe for concurrent use.
type Runtime struct {
	options Options
	faults  faults

	mu         sync.Mutex
	serial     uint64
	images     map[string]*image
	containers map[runtime.ID]*container
	volumes    map[string]*volume
	held       map[netip.AddrPort]struct{}
	watches    map[*watch]struct{}
	listLag    time.Duration
}

var _ runtime.Runtime = (*Runtime)(nil)

// New makes an engine without containers.
func New(options Options) *Runtime {
	r := &Runtime{
		options:    options,
		images:     map[string]*image{},
		containers: map[runtime.ID]*container{},
		volumes:    map[string]*volume{},
		held:       map[netip.AddrPort]struct{}{},
		watches:    map[*watch]struct{}{},
	}
	for ref, img := range options.Images {
		r.images[ref] = &image{Image: img, id: r.identifier("image")}
	}
	return r
}

// identifier makes an identifier like those of engines. The lock is held, or
// nobody else has the runtime yet.
func (r *Runtime) identifier(what string) string {
	r.serial++
	sum := sha256.Sum256([]byte(what + strconv.FormatUint(r.serial, 10)))
	return hex.EncodeToString(sum[:])
}

func fail(op, id string, kind, err error) error {
	return &runtime.Error{Op: op, Backend: backend, ID: id, Kind: kind, Err: err}
}

// Ping implements runtime.Runtime.
func (r *Runtime) Ping(ctx context.Context) (runtime.Info, error) {
	if err := r.enter(ctx, OpPing, ""); err != nil {
		return runtime.Info{}, err
	}
	return runtime.Info{
		Backend:      backend,
		Host:         "memory://fake",
		Version:      "1.0",
		APIVersion:   "1.0",
		Capabilities: r.options.Capabilities,
	}, nil
}

// Create implements runtime.Runtime.
func (r *Runtime) Create(ctx context.Context, spec runtime.Spec) (id runtime.ID, err error) {
	err = r.perform(ctx, OpCreate, spec.Name, func() error {
		id, err = r.create(spec)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (r *Runtime) create(spec runtime.Spec) (runtime.ID, error) {
	if err := spec.Validate(); err != nil {
		return "", fail(OpCreate, spec.Name, runtime.ErrInvalid, err)
	}
	if spec.Network != "" && spec.Network != Network {
		return "", fail(OpCreate, spec.Name, runtime.ErrInvalid, fmt.Errorf("there is no network %s", spec.Network))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		if c.spec.Name == spec.Name {
			return "", fail(OpCreate, spec.Name, runtime.ErrConflict, errors.New("the name is in use"))
		}
	}
	img, there := r.images[spec.Image]
	if !there {
		return "", fail(OpCreate, spec.Image, runtime.ErrImageNotFound, nil)
	}
	if r.options.ReservesPorts {
		if err := r.checkPorts(spec); err != nil {
			return "", fail(OpCreate, spec.Name, runtime.ErrPortInUse, err)
		}
	}
	for _, mount := range spec.Volumes {
		if _, there := r.volumes[mount.Volume]; !there {
			r.volumes[mount.Volume] = &volume{files: map[string][]byte{}}
		}
		r.fill(mount, img)
	}
	c := newContainer(runtime.ID(r.identifier("container")), inherit(clone(spec), img), img, time.Now())
	c.address = address(r.serial)
	c.reserved = r.options.ReservesPorts
	r.containers[c.id] = c
	return c.id, nil
}

// fill puts the image's files into an empty volume. The lock is held.
func (r *Runtime) fill(mount runtime.VolumeMount, img *image) {
	files := r.volumes[mount.Volume].files
	if len(files) > 0 {
		return
	}
	for path, data := range img.Files {
		if inside, under := relative(mount.Path, path); under {
			files[inside] = slices.Clone(data)
		}
	}
}

// Start implements runtime.Runtime.
func (r *Runtime) Start(ctx context.Context, id runtime.ID) error {
	return r.perform(ctx, OpStart, string(id), func() error { return r.start(id) })
}

func (r *Runtime) start(id runtime.ID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, there := r.containers[id]
	if !there {
		return fail(OpStart, string(id), runtime.ErrNotFound, nil)
	}
	switch c.state {
	case runtime.StateRunning, runtime.StatePaused, runtime.StateStopping:
		return nil
	case runtime.StateExited:
		return fail(OpStart, string(id), runtime.ErrConflict, errors.New("it has ended already"))
	}
	if !c.reserved {
		if err := r.checkPorts(c.spec); err != nil {
			return fail(OpStart, string(id), runtime.ErrPortInUse, err)
		}
	}
	if c.image.Program == nil {
		return fail(OpStart, string(id), runtime.ErrInvalid, errors.New("the program cannot be executed"))
	}
	r.run(c)
	return nil
}

// Inspect implements runtime.Runtime.
func (r *Runtime) Inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	if err := r.enter(ctx, OpInspect, string(id)); err != nil {
		return runtime.Container{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, there := r.containers[id]
	if !there {
		return runtime.Container{}, fail(OpInspect, string(id), runtime.ErrNotFound, nil)
	}
	return c.describe(true), nil
}

// List implements runtime.Runtime.
func (r *Runtime) List(ctx context.Context, selector runtime.Selector) ([]runtime.Container, error) {
	if err := r.enter(ctx, OpList, ""); err != nil {
		return nil, err
	}
	if selector.Empty() {
		return nil, fail(OpList, "", runtime.ErrInvalid, errors.New("the selector is empty"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []runtime.Container
	for _, c := range r.sorted() {
		if selector.Matches(c.spec.Name, c.spec.Labels) {
			one := c.describe(false)
			if one.State == runtime.StateExited && time.Since(c.finished) < r.listLag {
				one.State = runtime.StateRunning
			}
			found = append(found, one)
		}
	}
	return found, nil
}

// sorted gives the containers in the order in which they were made. The lock is
// held.
func (r *Runtime) sorted() []*container {
	return slices.SortedFunc(maps.Values(r.containers), func(a, b *container) int {
		return a.address.Compare(b.address)
	})
}

// Stop implements runtime.Runtime.
func (r *Runtime) Stop(ctx context.Context, id runtime.ID, grace time.Duration) error {
	return r.perform(ctx, OpStop, string(id), func() error { return r.stop(ctx, id, grace) })
}

func (r *Runtime) stop(ctx context.Context, id runtime.ID, grace time.Duration) error {
	r.mu.Lock()
	c, there := r.containers[id]
	if !there || !c.runs() {
		r.mu.Unlock()
		return nil
	}
	c.state = runtime.StateStopping
	r.mu.Unlock()

	c.terminate()
	const second = time.Second
	timer := time.NewTimer(max(0, (grace+second-1)/second*second))
	defer timer.Stop()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return canceled(ctx, OpStop, string(id))
	case <-timer.C:
	}
	r.end(c, exitKilled, false)
	return nil
}

// Remove implements runtime.Runtime.
func (r *Runtime) Remove(ctx context.Context, id runtime.ID) error {
	return r.perform(ctx, OpRemove, string(id), func() error {
		r.remove(id)
		return nil
	})
}

// remove kills a container and forgets it; it says whether there was one.
func (r *Runtime) remove(id runtime.ID) bool {
	r.mu.Lock()
	c, there := r.containers[id]
	delete(r.containers, id)
	r.mu.Unlock()
	if there {
		r.end(c, exitKilled, false)
		r.mu.Lock()
		r.tell(runtime.EventRemoved, c)
		r.mu.Unlock()
	}
	return there
}

// Logs implements runtime.Runtime.
func (r *Runtime) Logs(ctx context.Context, id runtime.ID, lines int) ([]byte, error) {
	if err := r.enter(ctx, OpLogs, string(id)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	c, there := r.containers[id]
	r.mu.Unlock()
	if !there {
		return nil, fail(OpLogs, string(id), runtime.ErrNotFound, nil)
	}
	return c.log.tail(lines), nil
}

// FollowLogs implements runtime.Runtime.
func (r *Runtime) FollowLogs(ctx context.Context, id runtime.ID, lines int, w io.Writer) error {
	if err := r.enter(ctx, OpFollowLogs, string(id)); err != nil {
		return err
	}
	r.mu.Lock()
	c, there := r.containers[id]
	r.mu.Unlock()
	if !there {
		return fail(OpFollowLogs, string(id), runtime.ErrNotFound, nil)
	}
	_, written, more := c.log.since(math.MaxInt)
	text := c.log.tail(lines)
	for {
		if _, err := w.Write(text); err != nil {
			return fail(OpFollowLogs, string(id), runtime.ErrInternal, err)
		}
		ended := false
		select {
		case <-more:
		case <-c.ended:
			ended = true // What it wrote at last is there by now.
		case <-ctx.Done():
			return canceled(ctx, OpFollowLogs, string(id))
		}
		text, written, more = c.log.since(written)
		if ended && len(text) == 0 {
			return nil
		}
	}
}

// volume is a named volume.
type volume struct {
	labels map[string]string
	files  map[string][]byte
}

// Volume implements runtime.Runtime.
func (r *Runtime) Volume(ctx context.Context, name string) (runtime.Volume, error) {
	if err := r.enter(ctx, OpVolume, name); err != nil {
		return runtime.Volume{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v, there := r.volumes[name]
	if !there {
		return runtime.Volume{}, fail(OpVolume, name, runtime.ErrNotFound, nil)
	}
	return runtime.Volume{Name: name, Labels: maps.Clone(v.labels)}, nil
}

// EnsureVolume implements runtime.Runtime.
func (r *Runtime) EnsureVolume(ctx context.Context, name string, labels map[string]string) (found runtime.Volume, err error) {
	err = r.perform(ctx, OpEnsureVolume, name, func() error {
		found, err = r.ensureVolume(name, labels)
		return err
	})
	if err != nil {
		return runtime.Volume{}, err
	}
	return found, nil
}

func (r *Runtime) ensureVolume(name string, labels map[string]string) (runtime.Volume, error) {
	if !runtime.ValidName(name) {
		return runtime.Volume{}, fail(OpEnsureVolume, name, runtime.ErrInvalid, fmt.Errorf("volume name %q", name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v, there := r.volumes[name]
	if !there {
		v = &volume{labels: maps.Clone(labels), files: map[string][]byte{}}
		r.volumes[name] = v
	}
	return runtime.Volume{Name: name, Labels: maps.Clone(v.labels)}, nil
}

// RemoveVolume implements runtime.Runtime.
func (r *Runtime) RemoveVolume(ctx context.Context, name string) error {
	return r.perform(ctx, OpRemoveVolume, name, func() error { return r.removeVolume(name) })
}

func (r *Runtime) removeVolume(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		for _, mount := range c.spec.Volumes {
			if mount.Volume == name {
				return fail(OpRemoveVolume, name, runtime.ErrConflict, errors.New("container "+c.spec.Name+" uses it"))
			}
		}
	}
	delete(r.volumes, name)
	return nil
}

// Close implements runtime.Runtime. It does nothing: the containers go on, and
// whoever shares the engine uses it still. Tests end what is left with Reset.
func (r *Runtime) Close() error { return nil }

// Reset removes all containers and volumes, so that no goroutine is left, and
// lifts all faults. Streams of events end.
func (r *Runtime) Reset() {
	r.faults.reset()
	r.EndEvents()
	r.mu.Lock()
	ids := slices.Collect(maps.Keys(r.containers))
	r.mu.Unlock()
	for _, id := range ids {
		r.remove(id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.volumes)
	clear(r.held)
}

// relative gives a path below a directory, and whether it is below it.
func relative(dir, path string) (string, bool) {
	return strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
