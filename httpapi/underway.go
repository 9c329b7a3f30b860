package httpapi

import (
	"context"
	"fmt"
	"sync"
)

// underWay counts requests that are being answered, so that their end can be
// waited for while others still come.
type underWay struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // Closed when n becomes zero; made when n becomes one.
}

// begin counts a request until end is called.
func (u *underWay) begin() (end func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n++; u.n == 1 {
		u.none = make(chan struct{})
	}
	return u.end
}

func (u *underWay) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 {
		close(u.none)
	}
}

// wait blocks until there is a moment without any request, at most until ctx
// ends.
func (u *underWay) wait(ctx context.Context) error {
	u.mu.Lock()
	n, none := u.n, u.none
	u.mu.Unlock()
	if n == 0 {
		return nil
	}
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("httpapi: drain with %d requests under way: %w", n, context.Cause(ctx))
	}
}
