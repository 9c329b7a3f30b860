package httpapi_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sage/catalog"
	"sage/httpapi"
	"sage/runtime/fake"
	"sage/session"
)

// pipes is a server in virtual time, whose clients' kernels keep nothing: what is
// not read is not sent.
type pipes struct {
	t       *testing.T
	engine  *fake.Runtime
	manager *session.Manager
	api     *httpapi.Server
	log     *diary
	conns   chan net.Conn
	closed  chan struct{}
	served  chan error
	once    sync.Once
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4024} }

// addressed is a pipe with a client's address.
type addressed struct {
	net.Conn
	from net.Addr
}

// RemoteAddr implements net.Conn.
func (a addressed) RemoteAddr() net.Addr { return a.from }

// inVirtualTime runs test with a server on pipes.
func inVirtualTime(t *testing.T, change func(*httpapi.Options), test func(t *testing.T, p *pipes)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{
			t: t, log: &diary{}, conns: make(chan net.Conn), closed: make(chan struct{}), served: make(chan error, 1),
			engine: fake.New(fake.Options{Images: map[string]fake.Image{image: {Program: fake.VNC(vncPort)}}}),
		}
		apps := &catalog.Catalog{Version: 1, Apps: []catalog.App{{
			ID: "desk", Title: "Desk", Image: image, Endpoints: []catalog.Endpoint{{Name: "vnc", Port: vncPort, Protocol: catalog.RFB}},
		}}}
		managed := managerOptions(dir, func() *catalog.Catalog { return apps })
		managed.StartTimeout, managed.QueueTimeout, managed.Logger = time.Hour, time.Hour, p.log.logger()
		var err error
		if p.manager, err = session.New(p.engine, managed); err != nil {
			t.Fatal(err)
		}
		opts := httpapi.Options{
			Logger: p.log.logger(), Catalog: managed.Catalog,
			Page: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 8<<20)) }),
		}
		if change != nil {
			change(&opts)
		}
		p.api = httpapi.New(p.manager, opts)
		go func() { p.served <- p.api.Serve(p) }()
		defer p.end()
		test(t, p)
	})
}

// end closes everything, and says how long that took.
func (p *pipes) end() time.Duration {
	p.t.Helper()
	begun := time.Now()
	select {
	case <-p.closed:
		return 0
	default:
	}
	if err := errors.Join(p.manager.Close(context.Background()), p.api.Shutdown(context.Background()), p.api.Close(context.Background())); err != nil {
		p.t.Error(err)
	}
	if err := <-p.served; err != nil {
		p.t.Error(err)
	}
	took := time.Since(begun)
	p.engine.Reset()
	synctest.Wait()
	return took
}

// dial connects from an address and sends text, and waits until all that this
// begins has been done.
func (p *pipes) dial(from, text string) net.Conn {
	p.t.Helper()
	conn := p.connect(from, text)
	synctest.Wait()
	return conn
}

// connect connects from an address and sends text as it is read.
func (p *pipes) connect(from, text string) net.Conn {
	p.t.Helper()
	client, server := net.Pipe()
	p.t.Cleanup(func() { client.Close() })
	p.conns <- addressed{server, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	go func() { _, _ = io.WriteString(client, text) }()
	return client
}

// get makes a request on a connection of its own, and wants an answer at once.
func (p *pipes) get(from, path string) answer {
	p.t.Helper()
	conn := p.connect(from, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	defer conn.Close()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		p.t.Errorf("GET %s: %v", path, err)
		return answer{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Errorf("GET %s: %v", path, err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// lasts reads to the end of a connection, and says what came and when it ended.
func lasts(conn net.Conn) (text string, took time.Duration) {
	begun := time.Now()
	all, _ := io.ReadAll(conn)
	return string(all), time.Since(begun)
}

// TestSilentConnectionsEnd: whatever a client leaves out, its connection is closed
// in a bounded time, also where the request was refused.
func TestSilentConnectionsEnd(t *testing.T) {
	const head = "POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	withToken := func(o *httpapi.Options) { o.Token = "sesame" }
	for _, test := range []struct {
		name, sent string
		change     func(*httpapi.Options)
		status     string
		atMost     time.Duration
	}{
		{"nothing", "", nil, "", 11 * time.Second},
		{"half a head", "GET / HT", nil, "400", 11 * time.Second},
		{"no body", head + "Content-Length: 10\r\n\r\n", nil, "408", 31 * time.Second},
		{"half a body", head + "Content-Length: 10\r\n\r\n{\"vm\"", nil, "408", 31 * time.Second},
		{"no chunk", head + "Transfer-Encoding: chunked\r\n\r\n", nil, "408", 31 * time.Second},
		{"no body, no token", head + "Content-Length: 10\r\n\r\n", withToken, "401", 31 * time.Second},
		{"no body, bad path", "POST /api/vm/any/.. HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", nil, "400", 31 * time.Second},
		{"no body, no call", "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", nil, "408", 31 * time.Second},
		{"no body for a call that has none", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", nil, "408", 31 * time.Second},
		{"no further request", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", nil, "200", 121 * time.Second},
		{"a body that is too large", head + "Content-Length: 1000000\r\n\r\n{", nil, "408", 31 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, test.change, func(t *testing.T, p *pipes) {
				text, took := lasts(p.dial("127.0.0.1:1000", test.sent))
				if !strings.HasPrefix(text, "HTTP/1.1 "+test.status) && test.status != "" || test.status == "" && text != "" {
					t.Errorf("answer %q, want %s", text, test.status)
				}
				if took > test.atMost {
					t.Errorf("it lasted %s, at most %s are allowed", took, test.atMost)
				}
			})
		})
	}
}

// TestRefusalsDoNotWaitForTheBody: who is refused learns it at once.
func TestRefusalsDoNotWaitForTheBody(t *testing.T) {
	inVirtualTime(t, func(o *httpapi.Options) { o.Token = "sesame" }, func(t *testing.T, p *pipes) {
		begun := time.Now()
		conn := p.dial("127.0.0.1:1000", "POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || time.Since(begun) > 0 {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}

// TestSlowReadersEnd: a client that does not read its answer is given up.
func TestSlowReadersEnd(t *testing.T) {
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		conn := p.dial("127.0.0.1:1000", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-time.After(time.Minute)
		if text, took := lasts(conn); len(text) > 1<<20 || took > 0 {
			t.Errorf("%d bytes came within %s after a minute", len(text), took)
		}
	})
}

// TestLongAnswersAreNotCut: a start that takes minutes is answered, and a stream
// of events goes on for as long as its client reads.
func TestLongAnswersAreNotCut(t *testing.T) {
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		p.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, process *fake.Process) int {
			select {
			case <-time.After(10 * time.Minute):
			case <-ctx.Done():
			}
			return fake.VNC(vncPort)(ctx, process)
		}})
		events := bufio.NewScanner(p.dial("127.0.0.1:1000", "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		lines := make(chan string, 10000)
		go func() {
			defer close(lines)
			for events.Scan() {
				lines <- events.Text()
			}
		}()
		const body = `{"vm":"desk"}`
		conn := p.dial("127.0.0.1:1001", fmt.Sprintf("POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		<-time.After(10 * time.Minute)
		synctest.Wait()
		pings := 0
		for len(lines) > 0 {
			if line, open := <-lines; !open {
				t.Fatal("the events ended")
			} else if line == ": ping" {
				pings++
			}
		}
		if pings < 30 {
			t.Errorf("%d pings", pings)
		}
	})
}

// TestRoomForOthers: a client that takes every connection keeps nobody out, and
// does not end what Sage works for.
func TestRoomForOthers(t *testing.T) {
	dropped := 0
	inVirtualTime(t, func(o *httpapi.Options) {
		o.Limits = httpapi.Limits{Connections: 20, Streams: 20}
		o.Dropped = func() { dropped++ }
	}, func(t *testing.T, p *pipes) {
		events := p.dial("127.0.0.1:999", "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		var silent []net.Conn
		for i := range 100 {
			for _, text := range []string{"", "POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"} {
				silent = append(silent, p.dial(fmt.Sprintf("127.0.0.1:%d", 1000+i), text))
			}
			if a := p.get("127.0.0.1:2000", "/healthz"); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		if dropped < 150 {
			t.Errorf("%d connections were closed", dropped)
		}
		if n := strings.Count(p.log.String(), "a limit on connections is met"); n != 1 {
			t.Errorf("%d lines at one moment", n)
		}
		// The first one has gone, the last one is there.
		if _, took := lasts(silent[0]); took > 0 {
			t.Errorf("the first one lasted %s longer", took)
		}
		if n, err := events.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("the events: %v", err)
		}
	})
}

// TestRoomForQuickRequests: what waits for desktops and the engine, and what is
// followed, leaves connections for the rest, and who waits is not cut for it.
func TestRoomForQuickRequests(t *testing.T) {
	inVirtualTime(t, func(o *httpapi.Options) { o.Limits = httpapi.Limits{Connections: 40} }, func(t *testing.T, p *pipes) {
		p.engine.Hang(fake.OpPing, 0)
		p.engine.Hang(fake.OpCreate, 0)
		const start = "POST /api/vm/any/u%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{\"vm\":\"desk\"}"
		first := p.dial("127.0.0.1:1000", "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		busy := 0
		for i := range 100 {
			p.dial("127.0.0.1:1000", "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
			conn := p.dial("127.0.0.1:1000", fmt.Sprintf(start, i))
			_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if text, _ := lasts(conn); strings.HasPrefix(text, "HTTP/1.1 503") && strings.Contains(text, `"busy"`) {
				busy++
			}
			if a := p.get("127.0.0.1:1001", "/healthz"); a.status != http.StatusOK {
				t.Fatalf("%d: %d %s %s", i, a.status, a.body, p.log.String())
			}
		}
		if busy < 80 {
			t.Errorf("%d starts of 100 were refused", busy)
		}
		if text, _ := lasts(first); !strings.HasPrefix(text, "HTTP/1.1 504") {
			t.Errorf("the one that waited: %q", text)
		}
		p.engine.Heal()
	})
}

// TestShareOfAnAddress: one address has at most its share, loopback and trusted
// proxies are exempt, and of IPv6 a /64 is one address.
func TestShareOfAnAddress(t *testing.T) {
	for _, test := range []struct {
		name   string
		from   func(i int) string
		exempt bool
	}{
		{"IPv4", func(i int) string { return fmt.Sprintf("198.51.100.7:%d", 1000+i) }, false},
		{"IPv4 in IPv6", func(i int) string { return fmt.Sprintf("[::ffff:198.51.100.7]:%d", 1000+i) }, false},
		{"IPv6", func(i int) string { return fmt.Sprintf("[2001:db8:1:2::%x]:1000", i+1) }, false},
		{"loopback", func(i int) string { return fmt.Sprintf("127.0.0.1:%d", 1000+i) }, true},
		{"trusted proxy", func(i int) string { return fmt.Sprintf("192.0.2.9:%d", 1000+i) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, func(o *httpapi.Options) {
				o.Limits = httpapi.Limits{Connections: 100, PerAddress: 5}
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")}
			}, func(t *testing.T, p *pipes) {
				other := p.dial("203.0.113.1:1000", "")
				var conns []net.Conn
				for i := range 10 {
					conns = append(conns, p.dial(test.from(i), ""))
				}
				for i, conn := range append(conns, other) {
					_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
					_, err := conn.Read(make([]byte, 1))
					if closed := errors.Is(err, io.EOF); closed != (i < 5 && !test.exempt) {
						t.Errorf("connection %d: %v", i, err)
					}
				}
			})
		})
	}
}

// TestShareOfFeeds: events and logs that are followed have a bound for a client,
// who is told, and one for all.
func TestShareOfFeeds(t *testing.T) {
	inVirtualTime(t, func(o *httpapi.Options) { o.Limits = httpapi.Limits{Connections: 100, PerAddress: 3} }, func(t *testing.T, p *pipes) {
		const follow = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
		var feeds []net.Conn
		for range 3 {
			feeds = append(feeds, p.dial("198.51.100.7:1000", follow))
			_, _ = feeds[len(feeds)-1].Read(make([]byte, 1))
		}
		feeds[0].Close()
		synctest.Wait()
		if _, err := p.dial("198.51.100.7:1000", follow).Read(make([]byte, 1)); err != nil {
			t.Errorf("after one has ended: %v", err)
		}
	})
	b := newBench(t, func(o *httpapi.Options) {
		o.Limits, o.TrustedProxies = httpapi.Limits{Connections: 100, PerAddress: 1}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	b.start("alice")
	const client = "X-Forwarded-For: 198.51.100.7"
	first := b.followAs("/api/events", client)
	for _, path := range []string{"/api/events", "/api/vm/alice/events", "/api/vm/alice/log-stream"} {
		wantProblem(t, b.call("GET", path, "", client), http.StatusTooManyRequests, "too_many_streams")
	}
	b.followAs("/api/events", "X-Forwarded-For: 198.51.100.8").cancel()
	first.cancel()
	b.eventually("its place is free", func() bool { return b.call("HEAD", "/api/events", "", client).status == http.StatusOK })
}

// TestStreamsOfAClient: WebSockets have a bound for a client, and one for all.
func TestStreamsOfAClient(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) {
		o.Limits, o.TrustedProxies = httpapi.Limits{Streams: 5, PerAddress: 2}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	url := b.start("alice").URL
	as := func(client string) http.Header { return http.Header{"X-Forwarded-For": {client}} }
	for i := range 2 {
		ws, _, err := b.open(url, as("198.51.100.7"))
		if err != nil {
			t.Fatal(i, err)
		}
		defer func() { _ = ws.CloseNow() }()
	}
	_, resp, err := b.open(url, as("198.51.100.7"))
	if err == nil || resp == nil {
		t.Fatal("a third stream was opened", err)
	}
	wantProblem(t, b.read(resp), http.StatusTooManyRequests, "too_many_streams")
	ws, _, err := b.open(url, as("198.51.100.8"))
	if err != nil {
		t.Fatal(err)
	}
	_ = ws.CloseNow()
	// Each that ends makes room for another one.
	for range 10 {
		b.eventually("there is room again", func() bool {
			ws, _, err := b.open(url, as("198.51.100.8"))
			if err != nil {
				return false
			}
			_ = ws.CloseNow()
			return true
		})
	}
}

// TestClosingWaitsForNoClient: going down takes as long with clients that are
// silent as without.
func TestClosingWaitsForNoClient(t *testing.T) {
	for name, texts := range map[string][]string{
		"without": nil,
		"silent": {
			"", "GET / HT", "POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
			"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", "GET /stream/x/vnc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n",
		},
		"not reading": {"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
				for _, text := range texts {
					p.dial("127.0.0.1:1000", text)
				}
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := p.api.Drain(ctx); err != nil {
					t.Error(err)
				}
				p.end()
				if took := time.Since(begun); took > time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
	t.Run("a large answer that is not read", func(t *testing.T) {
		inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
			p.dial("127.0.0.1:1000", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
			begun := time.Now()
			if err := p.api.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			p.end()
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	})
}

// TestTheLastAnswerIsSent: what was answered before the end arrives, also when its
// client reads a moment later.
func TestTheLastAnswerIsSent(t *testing.T) {
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		p.engine.Delay(fake.OpPing, time.Second)
		conn := p.dial("127.0.0.1:1000", "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := p.api.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			if err := p.api.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		<-time.After(1500 * time.Millisecond)
		if text, _ := lasts(conn); !strings.HasPrefix(text, "HTTP/1.1 ") {
			t.Errorf("answer %q", text)
		}
		<-ended
	})
}

// TestHeadsAreBounded: the size of a head, the number of its lines, the length of
// an address.
func TestHeadsAreBounded(t *testing.T) {
	b := newBench(t)
	var many []string
	for i := range 150 {
		many = append(many, fmt.Sprintf("X-%d: a", i))
	}
	wantProblem(t, b.call("GET", "/api/vm/list", "", many...), http.StatusRequestHeaderFieldsTooLarge, "too_many_headers")
	for _, path := range []string{"/api/vm/list?a=" + strings.Repeat("b", 9000), "/" + strings.Repeat("c/", 5000), "/healthz?" + strings.Repeat("d&", 5000)} {
		wantProblem(t, b.call("GET", path, ""), http.StatusRequestURITooLong, "uri_too_long")
	}
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		for name, sent := range map[string]string{
			"one header":   "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + strings.Repeat("a", 100_000),
			"many headers": "GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-A: b\r\n", 20_000),
			"address":      "GET /" + strings.Repeat("a", 100_000),
		} {
			if text, took := lasts(p.dial("127.0.0.1:1000", sent)); !strings.HasPrefix(text, "HTTP/1.1 431") || took > time.Second {
				t.Errorf("%s: %q after %s", name, text, took)
			}
		}
	})
}

// TestProbesShareAnAnswer: the engine is asked once a second, however many ask.
func TestProbesShareAnAnswer(t *testing.T) {
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		p.engine.Delay(fake.OpPing, 100*time.Millisecond)
		before := p.engine.Calls(fake.OpPing)
		begun := time.Now()
		for time.Since(begun) < 5*time.Second {
			var probes sync.WaitGroup
			for range 20 {
				probes.Go(func() {
					if a := p.get("127.0.0.1:1000", "/readyz"); a.status != http.StatusOK {
						t.Errorf("%d %s", a.status, a.body)
					}
				})
			}
			probes.Wait()
			<-time.After(10 * time.Millisecond)
		}
		if n := p.engine.Calls(fake.OpPing) - before; n < 4 || n > 6 {
			t.Errorf("the engine was asked %d times in 5 s", n)
		}
		p.engine.Unavailable(true)
		<-time.After(time.Second)
		if a := p.get("127.0.0.1:1000", "/readyz"); a.status != http.StatusServiceUnavailable {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// TestQuestionsAreBounded: who asks the engine through Sage shares the answer with
// who asks the same.
func TestQuestionsAreBounded(t *testing.T) {
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		if _, err := p.manager.Start(t.Context(), "alice", session.Request{App: "desk"}); err != nil {
			t.Fatal(err)
		}
		p.engine.Delay(fake.OpLogs, time.Second)
		before := p.engine.Calls(fake.OpLogs)
		var asks sync.WaitGroup
		for range 50 {
			asks.Go(func() {
				if a := p.get("127.0.0.1:1000", "/api/vm/alice/logs"); a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			})
		}
		asks.Wait()
		if n := p.engine.Calls(fake.OpLogs) - before; n != 1 {
			t.Errorf("the engine was asked %d times", n)
		}
	})
}

// noise is an RFB server (RFC 6143) whose screen of that side no encoder makes
// smaller.
func noise(side int) fake.Program {
	return fake.Serves(vncPort, func(_ context.Context, conn net.Conn) {
		pixels := make([]byte, 4*side*side)
		_, _ = rand.Read(pixels)
		size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(side)), uint16(side))
		for _, turn := range []struct {
			say  []byte
			hear int
		}{
			{[]byte(fake.Greeting), 12}, {[]byte{1, 1}, 1}, {make([]byte, 4), 1},
			{slices.Concat(size, []byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0}), 0},
		} {
			_, _ = conn.Write(turn.say)
			if _, err := io.ReadFull(conn, make([]byte, turn.hear)); err != nil {
				return
			}
		}
		for range 2 { // What it may send, and the request.
			_, _ = conn.Read(make([]byte, 4096))
		}
		_, _ = conn.Write(slices.Concat([]byte{0, 0, 0, 1, 0, 0, 0, 0}, size, []byte{0, 0, 0, 0}, pixels))
		_, _ = io.Copy(io.Discard, conn)
	})
}

// TestPicturesOfSlowReadersAreBounded: clients that do not receive their pictures
// make Sage hold a bounded number of bytes.
func TestPicturesOfSlowReadersAreBounded(t *testing.T) {
	inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
		p.engine.SetImage(image, fake.Image{Program: noise(1500)}) // 6.75 MB in PNG.
		if _, err := p.manager.Start(t.Context(), "alice", session.Request{App: "desk"}); err != nil {
			t.Fatal(err)
		}
		codes := map[string]int{}
		var conns []net.Conn
		for range 14 {
			conn := p.dial("192.0.2.7:1000", "GET /api/vm/alice/screenshot.png HTTP/1.1\r\nHost: sage\r\n\r\n")
			conns = append(conns, conn)
			head := make([]byte, 12)
			if _, err := io.ReadFull(conn, head); err != nil {
				t.Fatal(err)
			}
			codes[string(head)]++
		}
		if codes["HTTP/1.1 200"] > 9 || codes["HTTP/1.1 200"] < 5 || codes["HTTP/1.1 503"] != 14-codes["HTTP/1.1 200"] {
			t.Errorf("answers: %v", codes)
		}
		for _, conn := range conns {
			conn.Close()
		}
		synctest.Wait()
		if a := p.get("192.0.2.7:1000", "/api/vm/alice/screenshot.png"); a.status != http.StatusOK {
			t.Errorf("afterwards: %d", a.status)
		}
	})
}
