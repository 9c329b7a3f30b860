package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sage/catalog"
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
// ErrStartFailed with its cause, ErrStopped, ErrClosing, ErrStore, or the
// context's own.
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
	for {
		m.mu.Lock()
		d := m.desktops[uid]
		switch {
		case m.closing:
			m.mu.Unlock()
			return Session{}, ErrClosing
		case d != nil && d.state.Running():
			s := d.session()
			m.mu.Unlock()
			return s, nil
		case d != nil && d.state == Stopping:
			changed := d.changed
			m.mu.Unlock()
			if err := m.await(ctx, changed, m.ctx.Done()); err != nil {
				return Session{}, err
			}
		case d != nil && d.state != Failed: // Preparing or Starting
			a := d.attempt
			m.mu.Unlock()
			if err := a.wait(ctx); err != nil {
				return Session{}, err
			}
		case p == nil:
			m.mu.Unlock()
			var err error
			if p, err = m.savedPlan(uid, req.Env); err != nil {
				return Session{}, err
			}
		default:
			if d != nil {
				m.forget(d)
			}
			a := m.begin(uid, *p)
			m.mu.Unlock()
			if err := a.wait(ctx); err != nil {
				return Session{}, err
			}
		}
	}
}

// wait blocks until the start has ended and gives its error, or until ctx ends.
func (a *attempt) wait(ctx context.Context) error {
	if err := await(ctx, a.done); err != nil {
		return err
	}
	return a.err
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

func (m *Manager) savedPlan(uid string, env map[string]any) (*plan, error) {
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

// begin starts a desktop for a uid that has none. The Manager's lock is held.
func (m *Manager) begin(uid string, p plan) *attempt {
	ctx, cancel := context.WithCancelCause(m.ctx)
	a := &attempt{done: make(chan struct{}), cancel: cancel}
	d := &desktop{
		uid: uid, state: Absent, changed: make(chan struct{}), attempt: a,
		identity:  identity{uid: uid, app: p.app.ID, token: newToken(), endpoints: p.app.Endpoints},
		container: m.opts.BaseName + uid,
		policy:    m.policyOf(p.app),
		created:   time.Now(),
	}
	m.desktops[uid] = d
	m.setState(d, Preparing)
	m.work.Go(func() {
		l := &launch{m: m, d: d, plan: p}
		a.err = m.conclude(ctx, l, l.run(ctx))
		cancel(nil)
		close(a.done)
	})
	return a
}

// conclude makes a start's outcome the desktop's state. What a failed start
// made is undone before, under a context of its own.
func (m *Manager) conclude(ctx context.Context, l *launch, err error) error {
	d := l.d
	if err == nil {
		m.mu.Lock()
		if d.state == Starting {
			d.ready = time.Now()
			d.ctx, d.cancel = context.WithCancelCause(m.ctx)
			d.progress = ""
			m.tokens[d.token] = d.uid
			m.setState(d, Ready)
			m.mu.Unlock()
			m.log.Info("desktop is ready", "uid", d.uid, "app", d.app, "container", d.container, "took", d.ready.Sub(d.created))
			return nil
		}
		m.mu.Unlock() // Stopped between the last step and here.
		err = ErrStopped
	}
	failure := l.failure(ctx, err)
	l.undo(ctx)

	m.mu.Lock()
	defer m.mu.Unlock()
	for _, end := range []error{ErrStopped, ErrClosing} {
		if errors.Is(err, end) || errors.Is(context.Cause(ctx), end) {
			if d.state != Stopping {
				m.setState(d, Stopping)
			}
			m.forget(d)
			return end
		}
	}
	m.fail(d, failure)
	m.log.Warn("desktop did not start", "uid", d.uid, "app", d.app, "error", failure)
	return failure
}
