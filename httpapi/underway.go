package httpapi

import (
	"context"
	"fmt"
	"sync"
)

// underWay counts requests that are being answered, so that their end can be
// waited for while others still come.
type underWay struct {
	mu      sync.Mutex
	current *requestGroup // Made with the first request, and anew by each wait.
}

// requestGroup are the requests that began between two calls of wait.
type requestGroup struct {
	n    int
	none chan struct{} // Closed when n becomes zero after a wait has begun.
	// waited says that no request joins any more.
	waited bool
}

// begin counts a request until end is called.
func (u *underWay) begin() (end func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil {
		u.current = &requestGroup{none: make(chan struct{})}
	}
	group := u.current
	group.n++
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if group.n--; group.n == 0 && group.waited {
			close(group.none)
		}
	}
}

// wait blocks until the requests that have begun before it are answered, at most
// until ctx ends. It does not wait for later ones: with enough clients there is
// always one under way. It is called once at a time.
func (u *underWay) wait(ctx context.Context) error {
	u.mu.Lock()
	group := u.current
	u.current = nil
	if group == nil || group.n == 0 {
		u.mu.Unlock()
		return nil
	}
	group.waited = true
	u.mu.Unlock()
	select {
	case <-group.none:
		return nil
	case <-ctx.Done():
		u.mu.Lock()
		defer u.mu.Unlock()
		return fmt.Errorf("httpapi: drain with %d requests under way: %w", group.n, context.Cause(ctx))
	}
}
