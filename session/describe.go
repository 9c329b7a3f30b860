package session

import (
	"context"
	"slices"
	"time"

	"sage/catalog"
	"sage/runtime"
)

// Session describes a uid's desktop at one moment.
type Session struct {
	UID string
	App string
	// State is Absent where there is nothing.
	State State
	// QueuePosition is its place among the starts that wait, from 1; zero where it
	// does not wait.
	QueuePosition int
	// Phase says what a Preparing or Starting one is about; else it is empty.
	Phase Phase
	// Token is the unguessable part of the stream's address; empty before Ready.
	Token string
	// ViewToken is the same for those who only look; empty, too, where viewers are
	// not understood.
	ViewToken string
	// Container is the container's name.
	Container string
	Endpoints []catalog.Endpoint
	// Limits are what its app may use, as far as the engine honours them; zero
	// where that is not known.
	Limits runtime.Limits
	// Home says that what a person does there is kept.
	Home bool
	// HomeLost says that what was kept before was gone at the desktop's start, removed
	// by another program.
	HomeLost bool
	// Clients are the open streams, Viewers those of the primary endpoint.
	Clients, Viewers int
	// CreatedAt is when the start began and ReadyAt when the desktop answered.
	CreatedAt, ReadyAt time.Time
	// IdleDeadline is when it will be stopped if no client comes; zero while
	// there are clients.
	IdleDeadline time.Time
	// ExpiresAt is when a running one's lifetime is over; zero for never.
	ExpiresAt time.Time
	// Progress is the last word on a Preparing one's image.
	Progress string
	// Image is how far that has come; nil where nothing is done about it.
	Image *ImageStatus
	// Failure says why a Failed one failed.
	Failure *StartError
	// Outdated says that the catalog has another app by now than the one that it
	// was made from, or none; the next start takes that one.
	Outdated bool
}

// Get describes uid's desktop. It never waits for anything.
func (m *Manager) Get(uid string) (Session, error) {
	if err := CheckUID(uid); err != nil {
		return Session{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.describe(uid), nil
}

// Find describes uid's desktop like Get, and asks the engine whether a desktop that runs is still there, so
// that its address is good. Where the engine does not answer soon, it is as with Get.
func (m *Manager) Find(ctx context.Context, uid string) (Session, error) {
	if err := CheckUID(uid); err != nil {
		return Session{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.desktops[uid]; d != nil && d.state.Running() {
		m.stillRuns(ctx, d)
	}
	return m.describe(uid), nil
}

// List describes every desktop, in no order. It never waits for anything.
func (m *Manager) List() []Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Session, 0, len(m.desktops))
	for _, d := range m.desktops {
		all = append(all, m.session(d))
	}
	return all
}

// describe describes uid's desktop. The Manager's lock is held.
func (m *Manager) describe(uid string) Session {
	d, ok := m.desktops[uid]
	if !ok {
		return Session{UID: uid, State: Absent}
	}
	return m.session(d)
}

// session copies a desktop. The Manager's lock is held.
func (m *Manager) session(d *desktop) Session {
	s := Session{
		UID: d.uid, App: d.app, State: d.state, Container: d.container, Endpoints: d.endpoints,
		Limits: d.limits, Home: d.home != "", HomeLost: d.homeLost, Clients: d.clients, Viewers: d.viewers,
		CreatedAt: d.created, ReadyAt: d.ready, Progress: d.progress, Failure: d.failure,
		Outdated: d.outdated(m.opts.Catalog()),
	}
	if d.image != nil {
		image := *d.image
		image.Layers = slices.Clone(image.Layers)
		s.Image = &image
	}
	switch d.state {
	case Preparing, Starting:
		s.Phase, s.QueuePosition = d.phase, m.position(d)
	case Ready:
		s.IdleDeadline = d.idleDeadline()
	}
	if d.state.Running() {
		s.Token = d.token
		if d.viewing != nil {
			s.ViewToken = viewTokenOf(d.token)
		}
		if d.policy.maxLifetime > 0 {
			s.ExpiresAt = d.born.Add(d.policy.maxLifetime)
		}
	}
	return s
}

// outdated compares what a desktop was made from with what its next start would
// take.
func (d *desktop) outdated(apps *catalog.Catalog) bool {
	if d.spec == "" || !d.state.Running() {
		return false
	}
	app, ok := apps.App(d.app)
	return !ok || app.Fingerprint() != d.spec
}
