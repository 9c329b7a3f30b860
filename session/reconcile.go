package session

import (
	"context"
	"errors"
	"fmt"
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
	// labels that cannot be understood and were left alone.
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
		if _, ours := c.Labels[labelInstance]; !ours {
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
	r := &round{m: m, unmet: map[string]error{}}
	listed := make(map[runtime.ID]bool, len(containers))
	var work errgroup.Group // Problems are noted, every container is looked at.
	work.SetLimit(looksAtOnce)
	for _, c := range containers {
		if c.State.Alive() {
			listed[c.ID] = true
		}
		work.Go(func() error {
			r.note(r.meet(ctx, c))
			return nil
		})
	}
	_ = work.Wait()
	m.noteKnown(r.unmet)
	for _, d := range m.missing(listed) {
		work.Go(func() error {
			r.note(r.confirmEnded(ctx, d))
			return nil
		})
	}
	_ = work.Wait()
	if err := r.problems.ErrorOrNil(); err != nil {
		m.log.Error("reconciling met problems", "error", err)
		return r.sum, err
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

// meet decides about one container with our labels.
func (r *round) meet(ctx context.Context, c runtime.Container) (Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	m := r.m
	id, err := parseLabels(c.Labels)
	if err != nil {
		m.report(c, err)
		return Summary{Damaged: 1}, nil
	}
	m.mu.Lock()
	d := m.desktops[id.uid]
	failed := d != nil && d.state == Failed
	m.mu.Unlock()
	if d != nil && !failed {
		return Summary{}, nil // Its start, its stop or the list's end takes care of it.
	}
	listed := c
	if c, err = m.rt.Inspect(ctx, c.ID); errors.Is(err, runtime.ErrNotFound) {
		return Summary{}, nil // The list was older than its end.
	} else if err != nil {
		if !failed && listed.State.Alive() {
			r.noteUnmet(id.uid, fmt.Errorf("%w for container %s, which runs: %w", runtime.ErrUnavailable, listed.Name, err))
		}
		return Summary{}, err
	}
	// A failed one's is what came of a call whose answer was lost.
	if !failed && c.State.Alive() {
		return m.adopt(ctx, c, id), nil
	}
	m.log.Info("half-made or ended container is removed", "uid", id.uid, "container", c.Name, "state", c.State)
	err = m.rt.Remove(ctx, c.ID)
	if err == nil && failed {
		err = m.removeNewHome(ctx, d)
	}
	return Summary{Removed: 1}, err
}

// report speaks once of a container whose labels cannot be understood.
func (m *Manager) report(c runtime.Container, err error) {
	m.mu.Lock()
	known := m.reported[c.ID]
	m.reported[c.ID] = true
	m.mu.Unlock()
	if !known {
		m.log.Error("container with damaged labels is left alone", "container", c.Name, "error", err)
	}
}

// adopt makes a running container a desktop. Its clients had no say in the end
// of their streams, so the idle clock begins now; its lifetime goes on.
//
// One that may not have answered yet, since it is as young as a start may take,
// is waited for like any start. An older one is Ready whatever it says: its end
// might take somebody's work away.
func (m *Manager) adopt(ctx context.Context, c runtime.Container, id identity) Summary {
	app, _ := m.opts.Catalog().App(id.app)
	now := time.Now()
	d := &desktop{
		uid: id.uid, state: Absent, changed: make(chan struct{}), identity: id,
		id: c.ID, container: c.Name, policy: m.policyOf(app), created: c.CreatedAt, born: now,
		phase: PhaseReady,
	}
	// The engine's clock may be another one.
	if !c.StartedAt.IsZero() && c.StartedAt.Before(now) {
		d.born = c.StartedAt
	}
	for _, p := range c.Ports {
		d.hostPorts = append(d.hostPorts, p.HostPort)
	}
	deadline := d.born.Add(d.policy.start)
	young := c.State == runtime.StateRunning && now.Before(deadline)
	answers := !young || m.probe(ctx, c.ID, id.primary()) == nil

	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.desktops[d.uid]; known || m.closing {
		return Summary{}
	}
	m.ports.adopt(d.uid, d.hostPorts)
	m.desktops[d.uid] = d
	if answers {
		m.makeReady(d)
	} else {
		m.setState(d, Starting)
		l := &launch{m: m, d: d, id: c.ID, deadline: deadline}
		m.carryOut(l, l.await)
	}
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

// confirmEnded looks again, since the list may be older than the desktop, and
// clears away one that does not run.
func (r *round) confirmEnded(ctx context.Context, d *desktop) (Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	m := r.m
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
