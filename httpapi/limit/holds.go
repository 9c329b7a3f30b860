package limit

import (
	"net/netip"
	"sync"
)

// Holds counts what is held at a time. It may be used from any number of
// goroutines.
type Holds struct {
	total, perSource int

	mu      sync.Mutex
	held    int
	sources map[netip.Prefix]int
}

// NewHolds returns a counter for at most total things, of which one source holds
// at most perSource, and never more than half, so that others find room. Zero
// means no limit.
func NewHolds(total, perSource int) *Holds {
	return &Holds{total: total, perSource: share(total, perSource), sources: map[netip.Prefix]int{}}
}

// share bounds what one source may take of total.
func share(total, perSource int) int {
	if half := (total + 1) / 2; perSource > 0 && total > 0 && half < perSource {
		return half
	}
	return perSource
}

// Take takes one for addr and returns the function that gives it back, which has
// no effect when it is called again. It returns false where there is no room. An
// exempt address is bounded by the total alone.
func (h *Holds) Take(addr netip.Addr, exempt bool) (release func(), ok bool) {
	source := Source(addr)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.total > 0 && h.held >= h.total || !exempt && h.perSource > 0 && h.sources[source] >= h.perSource {
		return nil, false
	}
	h.held++
	h.sources[source]++
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.held--
		decrement(h.sources, source)
	}), true
}

// decrement forgets a source that has nothing any more.
func decrement(counts map[netip.Prefix]int, source netip.Prefix) {
	if counts[source]--; counts[source] <= 0 {
		delete(counts, source)
	}
}
