package limit

import (
	"container/list"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// digestInterval is how often a limit that is met is logged.
	digestInterval = 10 * time.Second
	// often is how many requests a connection may make and not be closed for others
	// while the server is at work for it.
	often = 16
)

// ConnOptions are the settings of Conns.
type ConnOptions struct {
	Logger *slog.Logger
	// Total bounds connections in all, PerSource those of one source; zero for no
	// limit. One source takes at most half.
	Total, PerSource int
	// Exempt reports whether an address is bounded by the total alone, as a reverse
	// proxy is, through which many people come; nil exempts none.
	Exempt func(netip.Addr) bool
	// Dropped is called for each connection that a limit closes; nil for nothing.
	Dropped func()
}

// Conns bounds the connections of an http.Server. When there is no room for a new
// one, the connection is closed that has kept the server waiting for longest: for
// a request, for its body, or for taking its answer. When the server is at work for
// all of them, the one is closed that has asked most often, so that clients which
// ask without a pause do not shut others out. Only when none has asked often, the new
// one is refused. It may be used from any number of goroutines.
type Conns struct {
	opts   ConnOptions
	digest *Digest

	mu      sync.Mutex
	conns   map[net.Conn]*Conn
	sources map[netip.Prefix]int
	waiting list.List // Of *Conn, the one that has waited for longest in front.
}

// Conn is one connection, for the handler of its requests.
type Conn struct {
	all    *Conns
	conn   net.Conn
	source netip.Prefix
	exempt bool
	// place is its place among the waiting; nil while the server is at work for it.
	place *list.Element
	// answering says that the server waits for the client to take an answer.
	answering bool
	// asked is the number of requests so far.
	asked int
}

// connKey is the context's key of a *Conn.
type connKey struct{}

// NewConns returns the bounds for one server.
func NewConns(opts ConnOptions) *Conns {
	c := &Conns{opts: opts, conns: map[net.Conn]*Conn{}, sources: map[netip.Prefix]int{}}
	c.opts.PerSource = share(opts.Total, opts.PerSource)
	c.digest = NewDigest(digestInterval, func(n int) {
		opts.Logger.Warn("connections closed, since a limit on connections is met", "closed", n,
			"limit", opts.Total, "limit_per_address", c.opts.PerSource)
	})
	return c
}

// Bound makes server count its connections. The connections of hijacked requests
// are counted no longer.
func (c *Conns) Bound(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		c.mu.Lock()
		defer c.mu.Unlock()
		return context.WithValue(ctx, connKey{}, c.conns[conn])
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch state {
		case http.StateIdle: // The last answer is out.
			c.moveLocked(c.conns[conn], true, false)
		case http.StateClosed, http.StateHijacked:
			c.forgetLocked(c.conns[conn])
		}
	}
}

// Listener returns l with the limits.
func (c *Conns) Listener(l net.Listener) net.Listener { return boundListener{l, c} }

// CloseWaiting closes the connections that keep the server waiting for a request or
// for its body.
func (c *Conns) CloseWaiting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		if conn.place != nil && !conn.answering {
			c.closeLocked(conn)
		}
	}
	c.digest.Flush()
}

// boundListener admits connections.
type boundListener struct {
	net.Listener
	all *Conns
}

// Accept implements net.Listener.
func (l boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.all.admit(conn) {
			return conn, err
		}
		_ = conn.Close()
	}
}

// admit counts a new connection, and reports whether there is room for it.
func (c *Conns) admit(conn net.Conn) bool {
	addr := Remote(conn)
	next := &Conn{all: c, conn: conn, source: Source(addr), exempt: c.opts.Exempt != nil && c.opts.Exempt(addr)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !next.exempt && c.opts.PerSource > 0 && c.sources[next.source] >= c.opts.PerSource {
		if !c.evictLocked(func(other *Conn) bool { return other.source == next.source }) {
			return false
		}
	}
	if c.opts.Total > 0 && len(c.conns) >= c.opts.Total {
		if !c.evictLocked(func(*Conn) bool { return true }) {
			return false
		}
	}
	c.conns[conn] = next
	c.sources[next.source]++
	next.place = c.waiting.PushBack(next)
	return true
}

// evictLocked makes room by closing the connection that has waited for longest, else
// the one that has asked most often, and counts the one that has to go for the limit
// in either case.
func (c *Conns) evictLocked(candidate func(*Conn) bool) bool {
	c.digest.Note()
	if c.opts.Dropped != nil {
		c.opts.Dropped()
	}
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		if victim := e.Value.(*Conn); candidate(victim) {
			c.closeLocked(victim)
			return true
		}
	}
	var busiest *Conn
	for _, conn := range c.conns {
		if candidate(conn) && conn.asked > often && (busiest == nil || conn.asked > busiest.asked) {
			busiest = conn
		}
	}
	if busiest == nil {
		return false
	}
	c.closeLocked(busiest)
	return true
}

func (c *Conns) closeLocked(victim *Conn) {
	c.forgetLocked(victim)
	_ = victim.conn.Close()
}

// forgetLocked does nothing for a connection that was forgotten.
func (c *Conns) forgetLocked(gone *Conn) {
	if gone == nil || c.conns[gone.conn] != gone {
		return
	}
	delete(c.conns, gone.conn)
	decrement(c.sources, gone.source)
	if gone.place != nil {
		c.waiting.Remove(gone.place)
		gone.place = nil
	}
}

// ConnOf returns the connection of a request's context, or nil where its server is
// not bounded.
func ConnOf(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// Working says that the server works for the client, which waits. It does nothing
// on nil.
func (c *Conn) Working() { c.move(false, false) }

// Asked counts a request, for which the server works from now on. It does nothing on
// nil.
func (c *Conn) Asked() {
	if c == nil {
		return
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.asked++
	c.all.moveLocked(c, false, false)
}

// Answering says that the server waits for the client to take an answer, until the
// whole of it is out or Working is called. It does nothing on nil.
func (c *Conn) Answering() { c.move(true, true) }

func (c *Conn) move(waits, answering bool) {
	if c == nil {
		return
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.moveLocked(c, waits, answering)
}

// moveLocked does nothing for a connection that was closed or taken over.
func (c *Conns) moveLocked(conn *Conn, waits, answering bool) {
	if conn == nil || c.conns[conn.conn] != conn {
		return
	}
	conn.answering = answering
	switch {
	case waits && conn.place == nil:
		conn.place = c.waiting.PushBack(conn)
	case !waits && conn.place != nil:
		c.waiting.Remove(conn.place)
		conn.place = nil
	}
}

// Remote returns the address of the other side of a connection, in the form that
// prefixes have; the zero Addr where it is none of TCP.
func Remote(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
