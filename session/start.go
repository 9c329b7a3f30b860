package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sage/catalog"
	"sage/viewer"
)

// Request says what a uid's desktop shall be.
type Request struct {
	// App is an id or alias of the catalog; empty means the app that was saved
	// for the uid.
	App string
	// Env is what the caller sets of the app's environment; nil means what was
	// saved, where App is empty.
	Env map[string]any
}

// plan is a Request that was checked.
type plan struct {
	app *catalog.App
	// saved is what will be written down, env what the container gets.
	saved settings
	env   map[string]string
}

// Start gives uid's desktop when it answers. One that runs is returned as it
// is, one that is starting is waited for, and one that is stopping is waited
// for and then started anew. The start itself goes on when ctx ends.
//
// Errors: ErrInvalidUID, ErrUnknownApp, catalog.VariableError, ErrNoSettings,
// ErrAtCapacity, ErrStartFailed with its cause, runtime.ErrUnavailable, ErrStopped,
// ErrClosing, ErrStore, or the context's own.
func (m *Manager) Start(ctx context.Context, uid string, req Request) (Session, error) {
	if err := CheckUID(uid); err != nil {
		return Session{}, err
	}
	var p *plan
	if req.App != "" {
		var err error
		if p, err = m.plan(uid, req.App, req.Env); err != nil {
			return Session{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bring(ctx, uid, p, req.Env)
}

// bring carries Start out; p is nil for what was saved, with another environment
// where env is not nil. The Manager's lock is held, but not while it waits.
func (m *Manager) bring(ctx context.Context, uid string, p *plan, env map[string]any) (Session, error) {
	answered := false // Its start has just ended well.
	for {
		d := m.desktops[uid]
		if d != nil && d.state.Running() && !m.closing {
			if answered || m.stillRuns(ctx, d) {
				return m.session(d), nil
			}
			continue
		}
		underWay := d != nil && (d.state == Preparing || d.state == Starting)
		if m.closing || m.draining && !underWay {
			return Session{}, ErrClosing
		}
		if err := m.refusal(uid); err != nil {
			return Session{}, err
		}
		var err error
		switch {
		case d != nil && d.state == Stopping:
			err = m.awaitChange(ctx, d, m.ctx.Done())
		case underWay:
			err = m.awaitStart(ctx, d.attempt)
			answered = true
		case p == nil:
			p, err = m.savedPlan(uid, env)
		default:
			if err = m.room(); err != nil {
				break
			}
			if d != nil {
				m.forget(d)
			}
			err = m.awaitStart(ctx, m.begin(uid, *p))
			answered = true
		}
		if err != nil {
			return Session{}, err
		}
	}
}

// awaitStart waits until a start has ended and gives its error. It gives up when
// ctx ends or the engine is away; the start goes on. The Manager's lock is held,
// but not while it waits.
func (m *Manager) awaitStart(ctx context.Context, a *attempt) error {
	outage := m.outage
	m.mu.Unlock()
	defer m.mu.Lock()
	select {
	case <-a.done:
		return a.err
	case <-outage.begun:
		return outage.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (m *Manager) plan(uid, name string, env map[string]any) (*plan, error) {
	app, ok := m.opts.Catalog().App(name)
	if !ok {
		return nil, fmt.Errorf("%w %q", ErrUnknownApp, name)
	}
	environ, err := app.Environ(env)
	if err != nil {
		return nil, err
	}
	return &plan{app: app, saved: settings{UID: uid, App: app.ID, Env: env}, env: environ}, nil
}

// savedPlan is the plan that a uid had before. The Manager's lock is held, but
// not while the file is read.
func (m *Manager) savedPlan(uid string, env map[string]any) (*plan, error) {
	m.mu.Unlock()
	defer m.mu.Lock()
	saved, ok, err := m.store.load(uid)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: %q has no saved settings: name an app in \"vm\"", ErrNoSettings, uid)
	}
	if env == nil {
		env = saved.Env
	}
	return m.plan(uid, saved.App, env)
}

// Kept tells which app uid's next desktop has, because its settings are kept;
// empty where nothing is kept, as for a uid that nobody has used.
//
// Errors: ErrInvalidUID, ErrStore.
func (m *Manager) Kept(uid string) (app string, err error) {
	if err := CheckUID(uid); err != nil {
		return "", err
	}
	saved, _, err := m.store.load(uid)
	return saved.App, err
}

// begin starts a desktop for a uid that has none. The Manager's lock is held.
func (m *Manager) begin(uid string, p plan) *attempt {
	d := &desktop{
		uid: uid, state: Absent, changed: make(chan struct{}),
		identity:  identityOf(uid, p.app),
		container: m.opts.containerName(uid),
		policy:    m.policyOf(p.app),
		created:   time.Now(),
		phase:     PhaseSettings,
		turn:      m.newTurn(uid),
	}
	if !m.queueUp(d.turn) {
		d.phase = PhaseQueued
	}
	m.desktops[uid] = d
	m.setState(d, Preparing)
	l := &launch{m: m, d: d, plan: p}
	return m.carryOut(l, l.run)
}

// carryOut lets a launch run and makes its outcome the desktop's state. The
// Manager's lock is held.
func (m *Manager) carryOut(l *launch, run func(context.Context) error) *attempt {
	ctx, cancel := context.WithCancelCause(m.ctx)
	a := &attempt{done: make(chan struct{}), cancel: cancel}
	l.d.attempt = a
	m.work.Go(func() {
		defer cancel(nil)
		err := run(ctx)
		if err == nil {
			err = l.handOut()
		}
		l.report(ctx, err)
		if err == nil {
			close(a.done)
		} else {
			m.giveUp(ctx, l, err)
		}
	})
	return a
}

// handOut makes a desktop that answers Ready, and puts on record that it has
// answered, so that the next daemon need not ask it.
func (l *launch) handOut() error {
	m, d := l.m, l.d
	m.mu.Lock()
	r := d.record()
	r.Container, r.Ports, r.AnsweredAt = d.id, d.hostPorts, time.Now()
	m.mu.Unlock()
	if err := m.store.saveRecord(r); err != nil { // The next daemon looks for itself.
		m.log.Error("record of a desktop was not completed", "uid", d.uid, "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.state != Starting {
		return ErrStopped // Between the last step and here.
	}
	m.makeReady(d)
	m.log.Info("desktop is ready", "uid", d.uid, "app", d.app, "container", d.container, "took", d.ready.Sub(d.created))
	return nil
}

// makeReady lets clients come. The Manager's lock is held.
func (m *Manager) makeReady(d *desktop) {
	d.ready = time.Now()
	if d.born.IsZero() {
		d.born = d.ready
	}
	d.ctx, d.cancel = context.WithCancelCause(m.ctx)
	d.progress = ""
	m.tokens[d.token] = d.uid
	if d.viewing != nil {
		m.tokens[viewTokenOf(d.token)] = d.uid
		d.desk = viewer.NewDesk(viewer.Options{Password: d.viewing.password})
	}
	m.setState(d, Ready)
}

// giveUp takes away what a failed start has made, under a context of its own,
// and then tells those who wait. Where the engine does not let it, they are told
// before, and the uid stays Stopping until it has.
func (m *Manager) giveUp(ctx context.Context, l *launch, err error) {
	d, a := l.d, l.d.attempt
	failure := l.failure(ctx, err)
	a.err = failure
	if end := ended(ctx, err); end != nil {
		failure, a.err = nil, end
	}
	m.mu.Lock()
	if d.state != Stopping {
		m.setState(d, Stopping)
	}
	m.mu.Unlock()
	tell := sync.OnceFunc(func() { close(a.done) })
	defer tell()
	m.clearAway(d, func() error {
		err := l.undo(ctx)
		if err != nil {
			tell()
		}
		return err
	}, failure)
}
