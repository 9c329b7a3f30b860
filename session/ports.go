package session

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// heldFor is how long a port that a stranger held is left alone before it is
// tried again.
const heldFor = time.Minute

// ports lends host ports of one range. It keeps this daemon's desktops apart;
// whether a port is really free only the engine can tell, and what it finds
// taken is told to rest.
type ports struct {
	start, end int // end is not in the range

	mu     sync.Mutex
	next   int
	leased map[uint16]string // port -> uid
	taken  map[uint16]time.Time
}

func newPorts(start, end int) *ports {
	p := &ports{start: start, end: end, leased: map[uint16]string{}, taken: map[uint16]time.Time{}}
	// Daemons that share a range begin at different places in it.
	p.next = start + rand.IntN(end-start)
	return p
}

// lease lends n ports to uid, or none: then it gives a *PortsError.
func (p *ports) lease(uid string, n int) ([]uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	got := make([]uint16, 0, n)
	port := p.next
	for range p.end - p.start {
		if len(got) == n {
			break
		}
		if p.free(uint16(port), now) {
			got = append(got, uint16(port))
		}
		if port++; port == p.end {
			port = p.start
		}
	}
	if len(got) < n {
		return nil, &PortsError{Start: p.start, End: p.end, Leased: len(p.leased), Held: len(p.taken), Wanted: n}
	}
	p.next = port
	for _, port := range got {
		p.leased[port] = uid
	}
	return got, nil
}

func (p *ports) free(port uint16, now time.Time) bool {
	if _, ok := p.leased[port]; ok {
		return false
	}
	until, ok := p.taken[port]
	if ok && now.Before(until) {
		return false
	}
	delete(p.taken, port)
	return true
}

// adopt lends ports that a desktop has already. Ports outside of the range, of
// a daemon that was set up differently, need no lease.
func (p *ports) adopt(uid string, adopted []uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range adopted {
		if int(port) >= p.start && int(port) < p.end {
			p.leased[port] = uid
		}
	}
}

// release takes back what uid has of the given ports.
func (p *ports) release(uid string, given []uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range given {
		if p.leased[port] == uid {
			delete(p.leased, port)
		}
	}
}

// rest leaves ports alone for a while that strangers have.
func (p *ports) rest(given []uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := time.Now().Add(heldFor)
	for _, port := range given {
		p.taken[port] = until
	}
}

// taken tells which of the ports it was that the engine found taken, since it
// does not say so itself. Where that cannot be seen from here, because the
// engine is on another host, it is all of them.
func taken(ip netip.Addr, given []uint16) []uint16 {
	var found []uint16
	for _, port := range given {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, port)))
		if err != nil {
			found = append(found, port)
			continue
		}
		l.Close()
	}
	if len(found) == 0 {
		return given
	}
	return found
}
