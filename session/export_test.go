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
