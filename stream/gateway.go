package stream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// DefaultEndpoint is the endpoint that an upgrade on the bare token means.
const DefaultEndpoint = "vnc"

// Gateway serves streams. It is an [http.Handler] for patterns with the wildcards {token} and, optionally, {endpoint}:
//
//	mux.Handle("GET /stream/{token}", gateway)
//	mux.Handle("GET /stream/{token}/{endpoint}", gateway)
//
// Its handler runs as long as the stream does.
type Gateway struct {
	sessions Sessions
	opts     Options
	buffers  buffers
	active   atomic.Int64

	mu      sync.Mutex
	closing bool
	streams map[*stream]struct{}
	ended   Traffic        // Of the streams that are not in the map any more.
	wg      sync.WaitGroup // One per stream in the map, from before Attach until after Release.
}

// New makes a gateway over sessions.
func New(sessions Sessions, opts Options) *Gateway {
	return &Gateway{
		sessions: sessions,
		opts:     opts.withDefaults(),
		streams:  make(map[*stream]struct{}),
	}
}

// Active gives the number of streams that are open now, past their upgrade.
func (g *Gateway) Active() int { return int(g.active.Load()) }

// Drain refuses new streams and waits until those that are open have ended by themselves, at most until ctx ends.
func (g *Gateway) Drain(ctx context.Context) error {
	g.mu.Lock()
	g.closing = true
	g.mu.Unlock()
	if n := g.wait(ctx); n > 0 {
		return fmt.Errorf("stream: drain with %d streams open: %w", n, context.Cause(ctx))
	}
	return nil
}

// wait blocks until every stream has ended and was released. When ctx ends first it gives the number of those left.
func (g *Gateway) wait(ctx context.Context) (left int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.wg.Wait()
	}()
	select {
	case <-done:
		return 0
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.streams)
}

// Shutdown refuses new streams, ends those that are open with close code 1001 and waits until all of them have ended
// and have been released. [http.Server.Shutdown] does neither: it ignores hijacked connections. When ctx ends first,
// connections are cut, and its error is returned without waiting any longer. Further calls do the same again.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.closing = true
	for s := range g.streams {
		s.end(&ending{code: websocket.StatusGoingAway, reason: "server is shutting down"})
	}
	g.mu.Unlock()

	n := g.wait(ctx)
	if n == 0 {
		return nil
	}
	g.mu.Lock()
	for s := range g.streams {
		s.cut()
	}
	g.mu.Unlock()
	return fmt.Errorf("stream: shutdown with %d streams open: %w", n, context.Cause(ctx))
}

// ServeHTTP serves one stream from its handshake to its end.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := g.check(w, r); err != nil {
		g.opts.WriteError(w, r, err)
		return
	}
	s, err := g.begin(r)
	if err != nil {
		g.opts.WriteError(w, r, err)
		return
	}
	defer g.finish(s)
	if err := s.run(w, r); err != nil {
		g.opts.WriteError(w, r, err)
	}
}

// check refuses what needs no look at the sessions.
func (g *Gateway) check(w http.ResponseWriter, r *http.Request) error {
	if err := checkHandshake(r, w.Header()); err != nil {
		return err
	}
	if err := g.opts.CheckOrigin(r); err != nil {
		return fmt.Errorf("%w: %w", ErrOrigin, err)
	}
	return nil
}

// begin registers a stream, so that Shutdown reaches it from its first step on.
func (g *Gateway) begin(r *http.Request) (*stream, error) {
	endpoint := r.PathValue("endpoint")
	if endpoint == "" {
		endpoint = DefaultEndpoint
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return nil, ErrShuttingDown
	}
	s := &stream{gateway: g, endpoint: endpoint, started: time.Now()}
	s.ctx, s.cancel = context.WithCancelCause(r.Context())
	g.streams[s] = struct{}{}
	g.wg.Add(1)
	return s, nil
}

// finish takes the stream off the list. It runs when everything of the stream has ended, also after a panic.
func (g *Gateway) finish(s *stream) {
	s.cancel(context.Canceled)
	g.mu.Lock()
	s.account(&g.ended)
	delete(g.streams, s)
	g.mu.Unlock()
	g.wg.Done()
}

// stream is one viewer's way to one endpoint.
type stream struct {
	gateway  *Gateway
	endpoint string
	started  time.Time
	ctx      context.Context // Ends when the stream is to end; its cause is an *ending.
	cancel   context.CancelCauseFunc
	client   *clientConn // Nil before the connection is taken over.

	mu    sync.Mutex
	conns []net.Conn // What there is to cut.
	isCut bool
}

// run attaches, dials, upgrades and copies. An error is one that came before the upgrade.
func (s *stream) run(w http.ResponseWriter, r *http.Request) error {
	g := s.gateway
	att, err := g.sessions.Attach(s.ctx, r.PathValue("token"), s.endpoint)
	if err != nil {
		return s.refusal(err)
	}
	defer att.Release()
	stop := context.AfterFunc(att.Context(), func() {
		s.end(&ending{code: websocket.StatusGoingAway, reason: "desktop stopped"})
	})
	defer stop()

	var serve func(http.ResponseWriter, *http.Request, Attachment, net.Conn) error
	switch p := att.Protocol(); p {
	case ProtocolWebSocket:
		serve = s.passThrough
	case ProtocolRFB, ProtocolTCP:
		serve = s.frame
	default:
		return fmt.Errorf("stream: endpoint %q has the unknown protocol %q", s.endpoint, p)
	}
	upstream, err := s.dial(att)
	if err != nil {
		return s.refusal(err)
	}
	defer upstream.Close()
	s.own(upstream)
	return serve(w, r, att, upstream)
}

// dial connects to the endpoint within the time there is.
func (s *stream) dial(att Attachment) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.gateway.opts.DialTimeout)
	defer cancel()
	conn, err := att.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: dial endpoint %q: %w", ErrUpstream, s.endpoint, err)
	}
	return conn, nil
}

// refusal gives the error for the client: what interrupted the start of the stream tells more than what
// failed by it.
func (s *stream) refusal(err error) error {
	if s.ctx.Err() == nil {
		return err
	}
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	if s.gateway.closing {
		return ErrShuttingDown
	}
	return fmt.Errorf("%w: %w", ErrUpstream, endingOf(s.ctx))
}

// end makes the stream end for the given reason, unless it ends already.
func (s *stream) end(e *ending) { s.cancel(e) }

// own notes a connection that cut must close.
func (s *stream) own(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, conn)
	if s.isCut {
		_ = conn.Close()
	}
}

// cut closes the stream's connections at once.
func (s *stream) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isCut = true
	for _, c := range s.conns {
		_ = c.Close()
	}
}

// opened counts the stream as active until the returned function is called, which also writes the log. It is called
// before the upgrade is answered, so that a client which knows that its stream is open finds it counted.
func (s *stream) opened(protocol string) (closed func()) {
	s.gateway.active.Add(1)
	return func() {
		s.gateway.active.Add(-1)
		if s.client == nil {
			return // The connection could not be taken over.
		}
		s.gateway.opts.Logger.DebugContext(s.ctx, "stream ended",
			"endpoint", s.endpoint, "protocol", protocol, "duration", time.Since(s.started),
			"from_client_bytes", s.client.received.Load(), "to_client_bytes", s.client.sent.Load(),
			"reason", endingOf(s.ctx).Error())
	}
}

// both runs two copying directions to their end, own on the caller's goroutine. Each must end soon after the stream's
// context has. A panic of the other is carried over, so that it meets the caller's deferred calls and net/http's
// recovery instead of ending the process; a panic of own ends the stream first.
func (s *stream) both(own, other func()) {
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if panicked = recover(); panicked != nil {
				s.end(&ending{code: websocket.StatusInternalError, reason: "internal error"})
			}
		}()
		other()
	}()
	returned := false
	defer func() {
		if !returned {
			s.end(&ending{code: websocket.StatusInternalError, reason: "internal error"})
		}
		<-done
		if returned && panicked != nil {
			panic(panicked)
		}
	}()
	own()
	returned = true
}
