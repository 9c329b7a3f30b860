package runtimetest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sage/runtime"
)

// RunOutage proves what a backend does while its engine is away: connections are
// refused, or taken and not answered. It goes between the two, so the engine
// itself, at host, is left alone; open makes the runtime under test, which has no
// goroutine left when RunOutage's test has ended.
func RunOutage(t *testing.T, host string, open func(host string) (runtime.Runtime, error)) {
	g := newGate(t, host)
	rt, err := open("unix://" + g.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	selector := runtime.Selector{Labels: map[string]string{LabelTest: "outage"}}
	calls := []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"list", func(ctx context.Context) error {
			_, err := rt.List(ctx, selector)
			return err
		}},
		// It is not repeated by itself, as one that changes nothing may be.
		{"stop", func(ctx context.Context) error {
			return rt.Stop(ctx, runtime.ID(strings.Repeat("0", 64)), 0)
		}},
		{"ping", func(ctx context.Context) error {
			_, err := rt.Ping(ctx)
			return err
		}},
	}
	follow := func(ctx context.Context) error {
		return rt.Events(ctx, selector, func(e runtime.Event) { t.Errorf("heard %+v of an engine that is away", e) })
	}
	ask := func(what string, limit time.Duration, do func(ctx context.Context) error) error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		return inTime(t, what, limit+patience, func() error { return do(ctx) })
	}

	for _, first := range calls { // Each of them is the first one after an outage once.
		if err := ask(first.name, patience, first.do); err != nil {
			t.Fatalf("the engine is there: %s: %v", first.name, err)
		}
		left, cut := listen(t, rt, selector), listen(t, rt, selector)
		left.stop()
		if err := left.awaitEnd(t); !errors.Is(err, runtime.ErrCanceled) {
			t.Errorf("the stream of events that was left gave %v", err)
		}

		g.shut()
		if err := cut.awaitEnd(t); kindOf(err) != runtime.ErrUnavailable {
			t.Errorf("the stream of events that was cut gave %v", err)
		}
		if err := ask(first.name, patience, first.do); kindOf(err) != runtime.ErrUnavailable {
			t.Errorf("%s while nothing listens: %v", first.name, err)
		}
		if err := ask("events", patience, follow); kindOf(err) != runtime.ErrUnavailable {
			t.Errorf("events while nothing listens: %v", err)
		}
		g.open()
		if err := ask(first.name, patience, first.do); err != nil {
			t.Errorf("%s, the first call after the outage: %v", first.name, err)
		}

		g.freeze()
		const limit = 300 * time.Millisecond
		err := ask(first.name, limit, first.do)
		if kindOf(err) != runtime.ErrCanceled || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s while nothing answers: %v", first.name, err)
		}
		if err := ask("events", limit, follow); kindOf(err) != runtime.ErrCanceled {
			t.Errorf("events while nothing answers: %v", err)
		}
		g.shut()
		g.open()
		if err := ask(first.name, patience, first.do); err != nil {
			t.Errorf("%s, the first call after the engine was frozen: %v", first.name, err)
		}
	}
}

// kindOf is the kind of an error of the contract; nil for other ones.
func kindOf(err error) error {
	var known *runtime.Error
	if !errors.As(err, &known) {
		return nil
	}
	return known.Kind
}

// gate is a socket in front of an engine's own.
type gate struct {
	t            *testing.T
	path, engine string

	mu       sync.Mutex
	listener net.Listener // Nil while it is shut.
	frozen   bool
	conns    map[net.Conn]struct{}
	work     sync.WaitGroup
}

func newGate(t *testing.T, host string) *gate {
	t.Helper()
	engine, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		t.Skipf("%s is no socket of this host", host)
	}
	dir, err := os.MkdirTemp("", "gate") // A socket's path has to be short.
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, path: filepath.Join(dir, "s"), engine: engine, conns: map[net.Conn]struct{}{}}
	g.open()
	t.Cleanup(func() {
		g.shut()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return g
}

// open lets connections through.
func (g *gate) open() {
	listener, err := net.Listen("unix", g.path)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener, g.frozen = listener, false
	g.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			g.pass(conn)
		}
	})
}

// pass connects one caller with the engine, unless the gate is frozen.
func (g *gate) pass(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[conn] = struct{}{}
	if g.frozen {
		return
	}
	up, err := net.Dial("unix", g.engine)
	if err != nil {
		g.t.Errorf("dial the engine: %v", err)
		conn.Close()
		return
	}
	g.conns[up] = struct{}{}
	for from, to := range map[net.Conn]net.Conn{conn: up, up: conn} {
		g.work.Go(func() {
			defer to.Close()
			_, _ = io.Copy(gated{g, to}, from)
		})
	}
}

// gated is a connection through which nothing passes while the gate is frozen.
type gated struct {
	g *gate
	net.Conn
}

func (c gated) Write(b []byte) (int, error) {
	c.g.mu.Lock()
	frozen := c.g.frozen
	c.g.mu.Unlock()
	if frozen {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// freeze takes connections and passes nothing on any more.
func (g *gate) freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen = true
}

// shut refuses connections, and cuts those that there are.
func (g *gate) shut() {
	g.mu.Lock()
	if g.listener != nil {
		g.listener.Close()
		g.listener = nil
	}
	for conn := range g.conns {
		conn.Close()
	}
	clear(g.conns)
	g.mu.Unlock()
	g.work.Wait()
}
