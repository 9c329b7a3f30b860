package session

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
