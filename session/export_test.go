package session

import (
	"maps"
	"time"

	"sage/runtime"
)

// Tokens is the number of stream tokens that lead somewhere.
func (m *Manager) Tokens() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tokens)
}

// RecordOf returns what is kept of uid's desktop: its token and its password.
func (m *Manager) RecordOf(uid string) (token, password string) {
	r, _, err := m.store.loadRecord(uid)
	if err != nil {
		panic(err)
	}
	return r.Token, r.Password
}

// Authentic returns labels as Sage writes them for another uid, and puts that uid's
// desktop on record unless it is not recorded.
func (m *Manager) Authentic(labels map[string]string, uid string, recorded bool) map[string]string {
	labels = maps.Clone(labels)
	labels[labelUID], labels[labelDesktop] = uid, newToken()
	labels[labelCode] = m.key.sign(authenticated(m.opts.containerName(uid), labels)...)
	if recorded {
		if err := m.store.saveRecord(record{UID: uid, Desktop: labels[labelDesktop], Token: newToken()}); err != nil {
			panic(err)
		}
	}
	return labels
}

// ContainerOf returns the engine's identifier of uid's container; empty where none is
// known.
func (m *Manager) ContainerOf(uid string) runtime.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.desktops[uid]; d != nil {
		return d.id
	}
	return ""
}

// Unanswer takes from the record of uid's desktop that it has answered.
func (m *Manager) Unanswer(uid string) {
	r, _, err := m.store.loadRecord(uid)
	if err == nil {
		r.AnsweredAt = time.Time{}
		err = m.store.saveRecord(r)
	}
	if err != nil {
		panic(err)
	}
}

// Leases are the ports that are lent, and to whom.
func (m *Manager) Leases() map[uint16]string {
	m.ports.mu.Lock()
	defer m.ports.mu.Unlock()
	leases := map[uint16]string{}
	for port, uid := range m.ports.leased {
		leases[port] = uid
	}
	return leases
}

// Transition is one row of the table of a session's life.
type Transition struct {
	From, To State
	When     string
}

// Transitions is the table.
func Transitions() []Transition {
	var rows []Transition
	for _, t := range transitions() {
		rows = append(rows, Transition{t.from, t.to, t.when})
	}
	return rows
}

// Queue is how many starts may begin, and how many wait.
func (m *Manager) Queue() (free, waiting int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queue.free, len(m.queue.waiting)
}

// Adopted tells whether a uid's desktop was found and not begun.
func (m *Manager) Adopted(uid string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.desktops[uid]
	return d != nil && d.turn == nil
}

// Watches is how many there are.
func (m *Manager) Watches() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.watches)
}
