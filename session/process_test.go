package session_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"sage/runtime"
)

// process is the engine as one daemon's process reaches it. Once the process is
// killed its calls under way do not return and no others are made; what the
// engine was asked before, it does.
type process struct {
	engine runtime.Runtime
	killed chan struct{}
	death  sync.Once
	// buried lets the calls of a killed process return.
	buried chan struct{}

	mu       sync.Mutex
	instants int // Beginnings and ends of calls, so far.
	at       int // The instant when do is called.
	do       func()
}

var _ runtime.Runtime = (*process)(nil)

func newProcess(engine runtime.Runtime) *process {
	return &process{engine: engine, killed: make(chan struct{}), buried: make(chan struct{})}
}

// atInstant lets something be done at the nth beginning or end of a call from now
// on, before that goes on.
func (p *process) atInstant(n int, do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.do = p.instants+n, do
}

// kill ends the process. It may be called more than once.
func (p *process) kill() { p.death.Do(func() { close(p.killed) }) }

func (p *process) isDead() bool {
	select {
	case <-p.killed:
		return true
	default:
		return false
	}
}

// lives is asked at every instant. In a dead process it does not return before
// the burial.
func (p *process) lives() bool {
	p.mu.Lock()
	p.instants++
	now := p.instants == p.at
	do := p.do
	p.mu.Unlock()
	if now {
		do()
	}
	if p.isDead() {
		<-p.buried
		return false
	}
	return true
}

// make makes a call of the process.
func (p *process) make(call func() error) error {
	dead := &runtime.Error{Op: "call", Backend: "test", Kind: runtime.ErrUnavailable, Err: errors.New("the process was killed")}
	if !p.lives() {
		return dead
	}
	err := call()
	if !p.lives() {
		return dead
	}
	return err
}

// ask is make for calls that give something.
func ask[T any](p *process, call func() (T, error)) (T, error) {
	var answer T
	err := p.make(func() (err error) {
		answer, err = call()
		return err
	})
	return answer, err
}

func (p *process) Ping(ctx context.Context) (runtime.Info, error) {
	return ask(p, func() (runtime.Info, error) { return p.engine.Ping(ctx) })
}

func (p *process) EnsureImage(ctx context.Context, req runtime.ImageRequest, progress func(runtime.Progress)) error {
	return p.make(func() error { return p.engine.EnsureImage(ctx, req, progress) })
}

func (p *process) Image(ctx context.Context, ref string) (runtime.Image, error) {
	return ask(p, func() (runtime.Image, error) { return p.engine.Image(ctx, ref) })
}

func (p *process) Create(ctx context.Context, spec runtime.Spec) (runtime.ID, error) {
	return ask(p, func() (runtime.ID, error) { return p.engine.Create(ctx, spec) })
}

func (p *process) Start(ctx context.Context, id runtime.ID) error {
	return p.make(func() error { return p.engine.Start(ctx, id) })
}

func (p *process) Inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	return ask(p, func() (runtime.Container, error) { return p.engine.Inspect(ctx, id) })
}

func (p *process) List(ctx context.Context, selector runtime.Selector) ([]runtime.Container, error) {
	return ask(p, func() ([]runtime.Container, error) { return p.engine.List(ctx, selector) })
}

// Events is no instant: it is under way all the time.
func (p *process) Events(ctx context.Context, selector runtime.Selector, notify func(runtime.Event)) error {
	return p.engine.Events(ctx, selector, func(e runtime.Event) {
		if !p.isDead() {
			notify(e)
		}
	})
}

func (p *process) Stop(ctx context.Context, id runtime.ID, grace time.Duration) error {
	return p.make(func() error { return p.engine.Stop(ctx, id, grace) })
}

func (p *process) Remove(ctx context.Context, id runtime.ID) error {
	return p.make(func() error { return p.engine.Remove(ctx, id) })
}

func (p *process) Logs(ctx context.Context, id runtime.ID, lines int) ([]byte, error) {
	return ask(p, func() ([]byte, error) { return p.engine.Logs(ctx, id, lines) })
}

// FollowLogs is no instant either, and nothing here calls it.
func (p *process) FollowLogs(ctx context.Context, id runtime.ID, lines int, w io.Writer) error {
	return p.engine.FollowLogs(ctx, id, lines, w)
}

func (p *process) Stats(ctx context.Context, id runtime.ID) (runtime.Stats, error) {
	return ask(p, func() (runtime.Stats, error) { return p.engine.Stats(ctx, id) })
}

func (p *process) Dial(ctx context.Context, id runtime.ID, port uint16) (net.Conn, error) {
	return ask(p, func() (net.Conn, error) { return p.engine.Dial(ctx, id, port) })
}

func (p *process) Route(ctx context.Context, id runtime.ID, port uint16) (runtime.Route, error) {
	route, err := ask(p, func() (runtime.Route, error) { return p.engine.Route(ctx, id, port) })
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		return ask(p, func() (net.Conn, error) { return route(ctx) })
	}, nil
}

func (p *process) Volume(ctx context.Context, name string) (runtime.Volume, error) {
	return ask(p, func() (runtime.Volume, error) { return p.engine.Volume(ctx, name) })
}

func (p *process) EnsureVolume(ctx context.Context, name string, labels map[string]string) (runtime.Volume, error) {
	return ask(p, func() (runtime.Volume, error) { return p.engine.EnsureVolume(ctx, name, labels) })
}

func (p *process) RemoveVolume(ctx context.Context, name string) error {
	return p.make(func() error { return p.engine.RemoveVolume(ctx, name) })
}

// Close does nothing: the engine is shared by all processes of a test.
func (p *process) Close() error { return nil }
