package limit

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates bounds how often something happens for each source. It remembers the
// sources that were seen last. It may be used from any number of goroutines.
type Rates struct {
	every   time.Duration
	burst   int
	sources int

	mu     sync.Mutex
	recent list.List // Of *limiter, the one seen last in front.
	known  map[netip.Prefix]*list.Element
}

// limiter is that of one source.
type limiter struct {
	*rate.Limiter
	source netip.Prefix
}

// NewRates returns a limiter that allows each source burst events at once and one
// more after every interval. It remembers at most so many sources.
func NewRates(every time.Duration, burst, sources int) *Rates {
	return &Rates{every: every, burst: burst, sources: sources, known: map[netip.Prefix]*list.Element{}}
}

// Allow counts an event of addr and reports whether it is within the limit.
func (r *Rates) Allow(addr netip.Addr) bool {
	source := Source(addr)
	r.mu.Lock()
	defer r.mu.Unlock()
	element, ok := r.known[source]
	if !ok {
		if r.recent.Len() >= r.sources {
			oldest := r.recent.Back()
			delete(r.known, oldest.Value.(*limiter).source)
			r.recent.Remove(oldest)
		}
		element = r.recent.PushFront(&limiter{rate.NewLimiter(rate.Every(r.every), r.burst), source})
		r.known[source] = element
	}
	r.recent.MoveToFront(element)
	return element.Value.(*limiter).Allow()
}
