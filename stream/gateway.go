package stream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sage/stream/ws"
)

// DefaultEndpoint is the endpoint that an upgrade on the bare token means.
const DefaultEndpoint = "vnc"

// Gateway serves streams. It is an [http.Handler] for patterns with the wildcards {token} and, optionally, {endpoint}:
//
//	mux.Handle("GET /stream/{token}", gateway)
//	mux.Handle("GET /stream/{token}/{endpoint}", gateway)
//
// Its handler returns after the upgrade; see [Gateway.Shutdown] for what is left.
type Gateway struct {
	sessions Sessions
	opts     Options
	loops    loops
	large    *buffers // For what desktops send.
	small    *buffers // For what clients send.
	pipes    *pipes
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
		loops:    newLoops(),
		large:    newBuffers(bufferSize),
		small:    newBuffers(clientBufferSize),
		pipes:    newPipes(),
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
		g.pipes.close()
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
		s.end(&ending{status: ws.StatusGoingAway, reason: "server is shutting down"})
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

// ServeHTTP answers the handshake of one stream. After the upgrade it returns, and the stream goes on by itself: what the
// HTTP server keeps for a request is several times what a quiet stream needs.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := g.check(w, r); err != nil {
		g.opts.WriteError(w, r, err)
		return
	}
	s, err := g.begin(r)
	if err == nil {
		err = s.open(w, r)
	}
	if err != nil {
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
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(r.Context()))
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
	att      Attachment
	upstream net.Conn
	client   *clientConn // Nil before the connection is taken over.

	mu    sync.Mutex
	conns []net.Conn // What there is to cut.
	isCut bool
}

// open attaches, dials and upgrades, and lets the stream run. An error is one that came before the upgrade; then nothing
// of the stream is left.
func (s *stream) open(w http.ResponseWriter, r *http.Request) (err error) {
	var clean cleanups
	clean.add(func() { s.gateway.finish(s) })
	running := false
	defer func() {
		if !running { // Or panics.
			clean.run()
		}
	}()
	asks := context.AfterFunc(r.Context(), func() { s.end(&ending{reason: "client has given up"}) })
	defer asks()

	if s.att, err = s.gateway.sessions.Attach(s.ctx, r.PathValue("token"), s.endpoint); err != nil {
		return s.refusal(err)
	}
	clean.add(s.att.Release)
	stops := context.AfterFunc(s.att.Context(), func() {
		s.end(&ending{status: ws.StatusGoingAway, reason: "desktop stopped"})
	})
	clean.add(func() { stops() })
	var upgrade func(http.ResponseWriter, *http.Request) (carry func(*task), err error)
	switch p := s.att.Protocol(); p {
	case ProtocolWebSocket:
		upgrade = s.passThrough
	case ProtocolMessages:
		upgrade = s.frameMessages
	case ProtocolRFB, ProtocolTCP:
		upgrade = s.frame
	default:
		return fmt.Errorf("stream: endpoint %q has the unknown protocol %q", s.endpoint, p)
	}
	if s.upstream, err = s.dial(); err != nil {
		return s.refusal(err)
	}
	clean.add(func() { _ = s.upstream.Close() })
	s.own(s.upstream)
	carry, err := upgrade(w, r)
	if err != nil {
		return s.refusal(err)
	}
	clean.add(s.closed)
	running = true
	startTask(func(t *task) { s.run(t, carry, &clean) })
	return nil
}

// run carries the stream to its end. A panic ends the stream alone.
func (s *stream) run(t *task, carry func(*task), clean *cleanups) {
	defer clean.run()
	defer t.leave()
	defer func() {
		if p := recover(); p != nil {
			s.end(&ending{status: ws.StatusInternalError, reason: "internal error"})
			s.cut()
			s.gateway.opts.Logger.ErrorContext(s.ctx, "stream panicked", "endpoint", s.endpoint, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	carry(t)
}

// cleanups are what is left to do at the end of a stream, the last one first.
type cleanups []func()

func (c *cleanups) add(f func()) { *c = append(*c, f) }

func (c *cleanups) run() {
	for _, f := range slices.Backward(*c) {
		f()
	}
}

// dial connects to the endpoint within the time there is.
func (s *stream) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.gateway.opts.DialTimeout)
	defer cancel()
	conn, err := s.att.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: dial endpoint %q: %w", ErrUpstream, s.endpoint, err)
	}
	noticeGone(conn, s.gateway.opts, s.gateway.opts.WriteTimeout)
	return newLine(conn), nil
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

// takeOver takes the client's connection over from the HTTP server and sends head, the answer to its handshake. It gives
// what the client has sent since. The stream counts as active before the answer goes out, so that a client which knows
// that its stream is open finds it counted.
func (s *stream) takeOver(w http.ResponseWriter, head []byte) (leftover []byte, err error) {
	if s.ctx.Err() != nil {
		return nil, endingOf(s.ctx)
	}
	conn, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("stream: take over the connection: %w", err)
	}
	leftover, _ = brw.Reader.Peek(brw.Reader.Buffered())
	s.client = newClientConn(conn, s.gateway.opts)
	s.own(s.client)
	s.gateway.active.Add(1)
	if err := s.client.write(nil, head); err != nil {
		s.end(&ending{reason: "client is gone", err: err}) // Past being told, so it is carried to its end at once.
	}
	return slices.Clone(leftover), nil
}

// closed says that the stream is not active any more, and writes the log.
func (s *stream) closed() {
	s.gateway.active.Add(-1)
	_ = s.client.Close()
	s.released()
	s.gateway.opts.Logger.DebugContext(s.ctx, "stream ended",
		"endpoint", s.endpoint, "protocol", s.att.Protocol(), "duration", time.Since(s.started),
		"from_client_bytes", s.client.received.Load(), "to_client_bytes", s.client.sent.Load(),
		"reason", endingOf(s.ctx).Error())
}

// join puts the two connections of the stream into a loop, where they can be.
func (s *stream) join() { s.gateway.loops.join(s.client.Conn, s.upstream) }

// released gives back what join has taken.
func (s *stream) released() {
	for _, conn := range []net.Conn{s.client.Conn, s.upstream} {
		if l, ok := conn.(*line); ok {
			l.release()
		}
	}
}

// both runs two copying directions to their end, own as the caller's task. Each must end soon after the stream's
// context has. A panic of the other is carried over, so that it meets the caller's deferred calls and recovery instead
// of ending the process; a panic of own ends the stream first.
func (s *stream) both(t *task, own, other func(*task)) {
	var panicked any
	done := make(chan struct{})
	startTask(func(t *task) {
		defer close(done)
		defer func() {
			if panicked = recover(); panicked != nil {
				s.end(&ending{status: ws.StatusInternalError, reason: "internal error"})
			}
		}()
		other(t)
	})
	returned := false
	defer func() {
		if !returned {
			s.end(&ending{status: ws.StatusInternalError, reason: "internal error"})
		}
		t.leave()
		<-done
		if returned && panicked != nil {
			panic(panicked)
		}
	}()
	own(t)
	returned = true
}

// pipesTo gives pipes for a source whose bytes go to that sink, or nil where it takes none.
func (g *Gateway) pipesTo(s *sink) *pipes {
	if !s.inLoop() {
		return nil
	}
	return g.pipes
}
