package fake

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sage/runtime"
)

// The exit codes that come from without.
const exitKilled = 128 + 9

// container is one container. The fields of the first part are guarded by the
// runtime's lock; they are set by its methods only.
type container struct {
	id      runtime.ID
	spec    runtime.Spec
	image   *image
	address netip.Addr
	// reserved says that it holds its host ports although it does not run.
	reserved bool

	state                          runtime.State
	createdAt, startedAt, finished time.Time
	exitCode                       int
	oom                            bool
	burnt                          time.Duration
	// terminate asks the program to end; set while it runs.
	terminate context.CancelFunc

	log *log
	// ended is closed when it does not run any more.
	ended chan struct{}

	mu        sync.Mutex
	gone      bool
	listeners map[uint16]*listener
	conns     map[*tracked]struct{}
	// own are the files of the root file system that differ from the image's, and
	// those of memory file systems.
	own map[string][]byte
}

func newContainer(id runtime.ID, spec runtime.Spec, img *image, now time.Time) *container {
	return &container{
		id:        id,
		spec:      spec,
		image:     img,
		state:     runtime.StateCreated,
		createdAt: now,
		log:       &log{},
		ended:     make(chan struct{}),
		listeners: map[uint16]*listener{},
		conns:     map[*tracked]struct{}{},
		own:       map[string][]byte{},
	}
}

// runs says whether it has processes. The runtime's lock is held.
func (c *container) runs() bool {
	return c.state == runtime.StateRunning || c.state == runtime.StateStopping
}

// describe gives the contract's view. The runtime's lock is held.
func (c *container) describe(whole bool) runtime.Container {
	out := runtime.Container{
		ID:        c.id,
		Name:      c.spec.Name,
		Image:     c.spec.Image,
		Labels:    maps.Clone(c.spec.Labels),
		State:     c.state,
		CreatedAt: c.createdAt,
		StartedAt: c.startedAt,
		Ports:     slices.Clone(c.spec.Ports),
	}
	if whole {
		out.FinishedAt, out.ExitCode, out.OOMKilled = c.finished, c.exitCode, c.oom
		if c.runs() {
			out.Address = c.address
		}
	}
	return out
}

// run starts the program. The lock is held.
func (r *Runtime) run(c *container) {
	ctx, cancel := context.WithCancel(context.Background())
	c.terminate = cancel
	c.state = runtime.StateRunning
	c.startedAt = time.Now()
	r.tell(runtime.EventStarted, c)
	p := &Process{runtime: r, container: c}
	go func() {
		defer cancel()
		r.end(c, c.image.Program(ctx, p), false)
	}()
}

// end makes a container one that has ended, unless it is that already: what it
// listens on and all its connections are closed, and its program is told.
func (r *Runtime) end(c *container, code int, oom bool) {
	r.mu.Lock()
	if !c.runs() {
		if c.state == runtime.StateCreated {
			c.state = runtime.StateExited
		}
		r.mu.Unlock()
		return
	}
	c.state = runtime.StateExited
	c.finished, c.exitCode, c.oom = time.Now(), code, oom
	c.reserved = false
	r.tell(runtime.EventExited, c)
	r.mu.Unlock()

	// Connections end before ended is closed, so that who has waited for a stop
	// finds nothing open any more.
	c.mu.Lock()
	c.gone = true
	for _, l := range c.listeners {
		l.close()
	}
	for conn := range c.conns {
		conn.Conn.Close()
	}
	clear(c.listeners)
	clear(c.conns)
	c.mu.Unlock()
	close(c.ended)
	c.terminate()
}
