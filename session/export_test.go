package session

// Tokens is the number of stream tokens that lead somewhere.
func (m *Manager) Tokens() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tokens)
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
