package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sync/errgroup"

	"sage/runtime"
)

// looksAtOnce is how many containers a round of reconciling looks at at the same
// time.
const looksAtOnce = 8

// Summary counts what a round of reconciling found.
type Summary struct {
	// Adopted desktops were running and unknown, Removed ones were half made,
	// Ended ones were known and do not run any more, Damaged containers carry
	// labels that are not Sage's own, or cannot be understood, and were left alone.
	Adopted, Removed, Ended, Damaged int
	// Foreign containers have our names and no labels, and were left alone; they
	// are looked for by Recover only.
	Foreign int
}

// Recover finds the desktops that an earlier daemon has left. It is called
// once, before Run.
//
// Errors: the engine's, when it cannot be asked.
func (m *Manager) Recover(ctx context.Context) (Summary, error) {
	sum, err := m.Reconcile(ctx)
	if err != nil {
		return sum, err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	named, err := m.rt.List(ctx, runtime.Selector{NamePrefix: m.opts.BaseName})
	if err != nil {
		return sum, fmt.Errorf("list containers by name: %w", unanswered(ctx, err))
	}
	for _, c := range named {
		if _, labelled := c.Labels[labelInstance]; !labelled {
			sum.Foreign++
			m.log.Warn("container with our name is not one of sage's and is left alone: its uid has no desktop until it is removed",
				"container", c.Name, "base-name", m.opts.BaseName)
		}
	}
	return sum, nil
}

// round is one comparison of the engine's containers with what is known.
type round struct {
	m *Manager
	// known are the containers of desktops at its beginning, alive those that were
	// listed as running.
	known, alive map[runtime.ID]bool

	mu       sync.Mutex
	sum      Summary
	problems *multierror.Error
	unmet    map[string]error // by uid
}

// Reconcile compares the engine's containers, which are the truth, with what
// the Manager knows: it adopts running desktops, removes half-made ones, and
// notices the ones that have ended.
func (m *Manager) Reconcile(ctx context.Context) (Summary, error) {
	containers, err := m.list(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("list containers: %w", err)
	}
	listed := make(map[runtime.ID]bool, len(containers))
	for _, c := range containers {
		if c.State.Alive() {
			listed[c.ID] = true
		}
	}
	r := &round{m: m, known: m.knownContainers(), alive: listed, unmet: map[string]error{}}
	var work errgroup.Group // Problems are noted, every container is looked at.
	work.SetLimit(looksAtOnce)
	for _, c := range containers {
		work.Go(func() error {
			r.note(r.meet(ctx, c))
			return nil
		})
	}
	_ = work.Wait()
	m.noteKnown(r.unmet)
	for _, d := range m.missing(listed) {
		work.Go(func() error {
			r.note(m.confirmEnded(ctx, d))
			return nil
		})
	}
	_ = work.Wait()
	if err := r.problems.ErrorOrNil(); err != nil {
		m.log.Error("reconciling met problems", "error", err)
		return r.sum, err
	}
	if len(r.unmet) == 0 {
		m.store.endEarlier()
	}
	return r.sum, nil
}

// note adds what was found about one container.
func (r *round) note(found Summary, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Adopted += found.Adopted
	r.sum.Removed += found.Removed
	r.sum.Ended += found.Ended
	r.sum.Damaged += found.Damaged
	if err != nil {
		r.problems = multierror.Append(r.problems, err)
	}
}

// noteUnmet keeps why a container that runs is no desktop yet. A start would take it
// for a half-made one.
func (r *round) noteUnmet(uid string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unmet[uid] = err
}

// meet decides about one container with our labels. Whatever it says of itself does
// not end the process.
func (r *round) meet(ctx context.Context, c runtime.Container) (found Summary, err error) {
	defer panicAsError("container "+c.Name, &err)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	m := r.m
	if r.known[c.ID] {
		return Summary{}, nil // Its start, its stop or the list's end takes care of it.
	}
	id, kept, is, err := m.identify(c)
	if is == foreign {
		m.report(c, err)
		return Summary{Damaged: 1}, nil
	}
	if err != nil {
		r.noteUnmet(id.uid, err)
		return Summary{}, err
	}
	if is == current && kept.Container != c.ID && r.alive[kept.Container] {
		is = outdated // A copy, which has the name while the desktop itself was renamed.
	}
	m.mu.Lock()
	d := m.desktops[id.uid]
	failed := d != nil && d.state == Failed
	m.mu.Unlock()
	if d != nil && !failed {
		return Summary{}, nil // Likewise.
	}
	if is == current && !failed && c.State.Alive() && !kept.AnsweredAt.IsZero() {
		return m.adopt(c, id, kept), nil // The list and the record say enough.
	}
	return r.meetOther(ctx, c, id, kept, is, failed)
}

// panicAsError makes an error of a panic of the function that defers it, where what
// a container or a desktop says must not end the process.
func panicAsError(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: %v\n%s", what, p, debug.Stack())
	}
}

// meetOther decides about a container that must be looked at.
func (r *round) meetOther(ctx context.Context, listed runtime.Container, id identity, kept record, is standing, failed bool) (Summary, error) {
	m := r.m
	c, err := m.rt.Inspect(ctx, listed.ID)
	if errors.Is(err, runtime.ErrNotFound) {
		return Summary{}, nil // The list was older than its end.
	}
	if err != nil {
		if !failed && listed.State.Alive() {
			r.noteUnmet(id.uid, fmt.Errorf("%w for container %s, which runs: %w", runtime.ErrUnavailable, listed.Name, err))
		}
		return Summary{}, err
	}
	switch {
	case failed: // It is what came of a call whose answer was lost, or a copy.
	case is == current && c.State.Alive():
		return m.adoptYoung(ctx, c, id, kept), nil
	case is == outdated && c.State.Alive() && c.CreatedAt.Before(m.began):
		// The data directory may be one that was restored from a backup.
		m.report(c, errors.New("sage made it, but it is not on record in the data directory: remove it, or start its uid anew"))
		return Summary{Damaged: 1}, nil
	}
	m.log.Info("half-made or ended container is removed", "uid", id.uid, "container", c.Name, "state", c.State)
	return Summary{Removed: 1}, m.rt.Remove(ctx, c.ID)
}

// knownContainers returns those of desktops that have not failed.
func (m *Manager) knownContainers() map[runtime.ID]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := make(map[runtime.ID]bool, len(m.desktops))
	for _, d := range m.desktops {
		known[d.id] = d.id != "" && d.state != Failed
	}
	return known
}

// report logs once that a container is left alone although it carries Sage's labels.
func (m *Manager) report(c runtime.Container, err error) {
	m.mu.Lock()
	known := m.reported[c.ID]
	m.reported[c.ID] = true
	m.mu.Unlock()
	if !known {
		m.log.Error("container with sage's labels is not sage's and is left alone", "container", c.Name, "error", err)
	}
}

// adopt makes a running container a desktop that has answered before. Its clients
// had no say in the end of their streams, so the idle clock begins now; its lifetime
// goes on. It is Ready whatever it says: its end might take somebody's work away.
func (m *Manager) adopt(c runtime.Container, id identity, kept record) Summary {
	d := m.adopted(c, id)
	d.born, d.hostPorts = kept.AnsweredAt, kept.Ports
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.take(d, func() { m.makeReady(d) })
}

// adoptYoung makes a running container a desktop of which it is not on record that it
// has answered. While it is as young as a start may take, it is waited for like any
// start.
func (m *Manager) adoptYoung(ctx context.Context, c runtime.Container, id identity, kept record) Summary {
	d := m.adopted(c, id)
	d.born = time.Now()
	// The engine's clock may be another one.
	if !c.StartedAt.IsZero() && c.StartedAt.Before(d.born) {
		d.born = c.StartedAt
	}
	for _, p := range c.Ports {
		d.hostPorts = append(d.hostPorts, p.HostPort)
	}
	deadline := d.born.Add(d.policy.start)
	young := c.State == runtime.StateRunning && time.Now().Before(deadline)
	answers := !young || m.probe(ctx, &port{rt: m.rt, id: c.ID, number: id.primary().Port}, id.primary()) == nil
	if answers {
		kept.Container, kept.Ports, kept.AnsweredAt = c.ID, d.hostPorts, d.born
		if err := m.store.saveRecord(kept); err != nil {
			m.log.Error("record of a desktop was not completed", "uid", d.uid, "error", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.take(d, func() {
		if answers {
			m.makeReady(d)
			return
		}
		m.setState(d, Starting)
		l := &launch{m: m, d: d, id: c.ID, deadline: deadline}
		m.carryOut(l, l.await)
	})
}

// adopted makes a desktop of a container that runs.
func (m *Manager) adopted(c runtime.Container, id identity) *desktop {
	app, _ := m.opts.Catalog().App(id.app)
	return &desktop{
		uid: id.uid, state: Absent, changed: make(chan struct{}), identity: id,
		id: c.ID, container: c.Name, policy: m.policyOf(app), created: c.CreatedAt,
		phase: PhaseReady,
	}
}

// take adds a desktop that was adopted, unless its uid has one by now. The Manager's
// lock is held.
func (m *Manager) take(d *desktop, begin func()) Summary {
	if known := m.desktops[d.uid]; known != nil || m.closing {
		return Summary{}
	}
	m.ports.adopt(d.uid, d.hostPorts)
	m.desktops[d.uid] = d
	begin()
	m.log.Info("desktop is adopted", "uid", d.uid, "app", d.app, "container", d.container, "state", d.state)
	return Summary{Adopted: 1}
}

// missing gives the running desktops whose container was not listed as running.
func (m *Manager) missing(listed map[runtime.ID]bool) []*desktop {
	m.mu.Lock()
	defer m.mu.Unlock()
	var missing []*desktop
	for _, d := range m.desktops {
		if d.state.Running() && !listed[d.id] {
			missing = append(missing, d)
		}
	}
	return missing
}

// confirmEnded looks at a running desktop's container, since a list may be older than
// the desktop and lag behind its end, and clears away one that does not run.
func (m *Manager) confirmEnded(ctx context.Context, d *desktop) (Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := m.rt.Inspect(ctx, d.id)
	cause := error(nil)
	switch {
	case errors.Is(err, runtime.ErrNotFound):
		cause = errors.New("its container was removed by somebody else")
	case err != nil:
		return Summary{}, err
	case c.State.Alive():
		return Summary{}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !d.state.Running() || m.closing {
		return Summary{}, nil
	}
	m.takeDown(d, StopEnded, &StartError{
		UID: d.uid, App: d.app, Phase: PhaseRunning, After: time.Since(d.ready), Err: cause,
	})
	return Summary{Ended: 1}, nil
}
