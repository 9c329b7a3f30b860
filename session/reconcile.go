package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"

	"sage/runtime"
)

// Summary counts what a round of reconciling found.
type Summary struct {
	// Adopted desktops were running and unknown, Removed ones were half made,
	// Ended ones were known and do not run any more, Damaged containers carry
	// labels that cannot be understood and were left alone.
	Adopted, Removed, Ended, Damaged int
}

// Recover finds the desktops that an earlier daemon has left. It is called
// once, before Run.
//
// Errors: the engine's, when it cannot be asked.
func (m *Manager) Recover(ctx context.Context) (Summary, error) { return m.Reconcile(ctx) }

// Reconcile compares the engine's containers, which are the truth, with what
// the Manager knows: it adopts running desktops, removes half-made ones, and
// notices the ones that have ended.
func (m *Manager) Reconcile(ctx context.Context) (Summary, error) {
	var sum Summary
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	containers, err := m.rt.List(ctx, m.opts.selector())
	if err != nil {
		m.log.Error("containers cannot be listed", "error", err)
		return sum, fmt.Errorf("list containers: %w", err)
	}
	var problems *multierror.Error
	listed := make(map[runtime.ID]bool, len(containers))
	for _, c := range containers {
		if c.State.Alive() {
			listed[c.ID] = true
		}
		if err := m.meet(ctx, c, &sum); err != nil {
			problems = multierror.Append(problems, err)
		}
	}
	for _, d := range m.missing(listed) {
		if err := m.confirmEnded(ctx, d, &sum); err != nil {
			problems = multierror.Append(problems, err)
		}
	}
	if err := problems.ErrorOrNil(); err != nil {
		m.log.Error("reconciling met problems", "error", err)
		return sum, err
	}
	return sum, nil
}

// meet decides about one container with our labels.
func (m *Manager) meet(ctx context.Context, c runtime.Container, sum *Summary) error {
	id, err := parseLabels(c.Labels)
	if err != nil {
		sum.Damaged++
		m.report(c, err)
		return nil
	}
	m.mu.Lock()
	d := m.desktops[id.uid]
	failed := d != nil && d.state == Failed
	m.mu.Unlock()
	if d != nil && !failed {
		return nil // Its start, its stop or the list's end takes care of it.
	}
	if c, err = m.rt.Inspect(ctx, c.ID); errors.Is(err, runtime.ErrNotFound) {
		return nil // The list was older than its end.
	} else if err != nil {
		return err
	}
	// A failed one's is what could not be undone.
	if !failed && c.State.Alive() {
		m.adopt(c, id, sum)
		return nil
	}
	sum.Removed++
	m.log.Info("half-made or ended container is removed", "uid", id.uid, "container", c.Name, "state", c.State)
	if err := m.rt.Remove(ctx, c.ID); err != nil || !failed {
		return err
	}
	return m.removeNewHome(ctx, d)
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

// adopt makes a running container a Ready desktop whose clocks begin now.
func (m *Manager) adopt(c runtime.Container, id identity, sum *Summary) {
	app, _ := m.opts.Catalog().App(id.app)
	now := time.Now()
	d := &desktop{
		uid: id.uid, state: Absent, changed: make(chan struct{}), identity: id,
		id: c.ID, container: c.Name, policy: m.policyOf(app), created: c.CreatedAt, ready: now,
	}
	for _, p := range c.Ports {
		d.hostPorts = append(d.hostPorts, p.HostPort)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.desktops[id.uid]; known || m.closing {
		return
	}
	d.ctx, d.cancel = context.WithCancelCause(m.ctx)
	m.ports.adopt(d.uid, d.hostPorts)
	m.desktops[d.uid] = d
	m.tokens[d.token] = d.uid
	m.setState(d, Ready)
	sum.Adopted++
	m.log.Info("desktop is adopted", "uid", d.uid, "app", d.app, "container", d.container)
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
func (m *Manager) confirmEnded(ctx context.Context, d *desktop, sum *Summary) error {
	c, err := m.rt.Inspect(ctx, d.id)
	cause := error(nil)
	switch {
	case errors.Is(err, runtime.ErrNotFound):
		cause = errors.New("its container was removed by somebody else")
	case err != nil:
		return err
	case c.State.Alive():
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !d.state.Running() || m.closing {
		return nil
	}
	sum.Ended++
	m.takeDown(d, "it does not run any more", &StartError{
		UID: d.uid, App: d.app, Phase: PhaseRunning, After: time.Since(d.ready), Err: cause,
	})
	return nil
}
