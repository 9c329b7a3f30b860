package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"sage/stream"
)

// TestMain looks for goroutines that are left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errUnknownToken = errors.New("no desktop has this token")

// patience bounds the wait for what must happen; it is no measure of anything.
const patience = 30 * time.Second

// desk is the one desktop that the gateway under test finds, by the token "good".
type desk struct {
	protocol string
	path     string
	dial     func(ctx context.Context) (net.Conn, error)
	guard    func(client io.ReadWriter, desktop net.Conn) stream.Guard // Nil: nothing stands between.
	ctx      context.Context
	stop     context.CancelFunc

	attached, released atomic.Int64
	endpoints          chan string
	releases           chan struct{}
}

func newDesk(t testing.TB, protocol, addr string) *desk {
	d := &desk{
		protocol: protocol, path: "/websockify",
		dial: func(ctx context.Context) (net.Conn, error) {
			var nd net.Dialer
			return nd.DialContext(ctx, "tcp", addr)
		},
		endpoints: make(chan string, 1000),
		releases:  make(chan struct{}, 1000),
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	t.Cleanup(d.stop)
	return d
}

func (d *desk) Attach(_ context.Context, token, endpoint string) (stream.Attachment, error) {
	if token != "good" {
		return nil, errUnknownToken
	}
	d.attached.Add(1)
	d.endpoints <- endpoint
	return &attachment{desk: d}, nil
}

type attachment struct {
	*desk
	once sync.Once
}

func (a *attachment) Protocol() string                           { return a.protocol }
func (a *attachment) Path() string                               { return a.path }
func (a *attachment) Dial(ctx context.Context) (net.Conn, error) { return a.dial(ctx) }
func (a *attachment) Context() context.Context                   { return a.ctx }
func (a *attachment) Guard(client io.ReadWriter, desktop net.Conn) stream.Guard {
	if a.guard == nil {
		return nil
	}
	return a.guard(client, desktop)
}
func (a *attachment) Release() {
	a.once.Do(func() {
		a.released.Add(1)
		a.releases <- struct{}{}
	})
}

// bench is a gateway on a real server, with one desk.
type bench struct {
	*desk
	gateway *stream.Gateway
	handler http.Handler
	addr    string
	errs    chan error // What WriteError was given.
	http    *http.Client
}

func newBench(t testing.TB, d *desk, opts stream.Options) *bench {
	t.Helper()
	b := &bench{desk: d, errs: make(chan error, 1000), http: &http.Client{Transport: &http.Transport{}}}
	opts.WriteError = func(w http.ResponseWriter, _ *http.Request, err error) {
		b.errs <- err
		status := http.StatusTeapot
		for e, s := range map[error]int{
			stream.ErrUpgradeRequired: 426, stream.ErrHandshake: 400, stream.ErrOrigin: 403, stream.ErrUpstream: 502,
			stream.ErrShuttingDown: 503, errUnknownToken: 404,
		} {
			if errors.Is(err, e) {
				status = s
			}
		}
		http.Error(w, err.Error(), status)
	}
	b.gateway = stream.New(d, opts)
	mux := http.NewServeMux()
	mux.Handle("GET /stream/{token}", b.gateway)
	mux.Handle("GET /stream/{token}/{endpoint}", b.gateway)
	b.handler = mux
	server := httptest.NewServer(mux)
	b.addr = server.Listener.Addr().String()
	t.Cleanup(func() {
		b.http.CloseIdleConnections()
		server.Close()
	})
	return b
}

// noLeaks fails the test if it leaves goroutines behind. Call it first: it looks when all other cleanup is done.
func noLeaks(t testing.TB) {
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
}

func (b *bench) url() string { return "ws://" + b.addr + "/stream/good/vnc" }

// open opens a stream as an ordinary WebSocket client.
func (b *bench) open(t testing.TB, protocols ...string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{HTTPClient: b.http, Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(-1)
	return ws
}

// ended waits until n streams have been released and checks that the books are even.
func (b *bench) ended(t testing.TB, n int) {
	t.Helper()
	for range n {
		select {
		case <-b.releases:
		case <-time.After(patience):
			t.Fatal("the stream was not released")
		}
	}
	if a, r := b.attached.Load(), b.released.Load(); a != r {
		t.Errorf("%d attached, %d released", a, r)
	}
	if n := b.gateway.Active(); n != 0 {
		t.Errorf("%d streams are active", n)
	}
}

const key = "dGhlIHNhbXBsZSBub25jZQ=="

// request is a handshake as it goes over the wire; extra headers end with CRLF.
func request(addr, path, extra string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n", path, addr, key, extra)
}

// raw opens a stream by hand and sends more right behind the handshake.
func (b *bench) raw(t testing.TB, extra, more string) (*net.TCPConn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request(b.addr, "/stream/good", extra)+more); err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %s", resp.Status)
	}
	return conn.(*net.TCPConn), br, resp
}

// masked is a client's frame with the mask zero.
func masked(opcode byte, payload string) string {
	if len(payload) > 125 {
		panic("only short frames")
	}
	return string([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
}

// listen serves every connection with f, as a desktop's endpoint.
func listen(t testing.TB, f func(conn *net.TCPConn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			t := conn.(*net.TCPConn)
			wg.Go(func() {
				defer t.Close()
				f(t)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// listenWebSocket serves every connection with f, as an endpoint with its own websockify.
func listenWebSocket(t testing.TB, f func(ws *websocket.Conn, r *http.Request)) (addr string) {
	t.Helper()
	var wg sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"binary"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		f(ws, r)
	}))
	t.Cleanup(func() {
		server.Close()
		wg.Wait()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

// echo sends back what comes.
func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

// quiet says nothing and waits for the end.
func quiet(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

// echoWebSocket sends back what comes.
func echoWebSocket(ws *websocket.Conn, _ *http.Request) {
	ctx := context.Background()
	for {
		kind, b, err := ws.Read(ctx)
		if err != nil || ws.Write(ctx, kind, b) != nil {
			return
		}
	}
}

// newEchoDesk gives a desk with an echoing endpoint of the given protocol.
func newEchoDesk(t testing.TB, protocol string) *desk {
	if speaksWebSocket(protocol) {
		return newDesk(t, protocol, listenWebSocket(t, echoWebSocket))
	}
	return newDesk(t, protocol, listen(t, echo))
}

// says checks that the stream works: what is sent comes back.
func says(t testing.TB, ws *websocket.Conn, text string) {
	t.Helper()
	if err := ws.Write(t.Context(), websocket.MessageBinary, []byte(text)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 0, len(text))
	for len(got) < len(text) {
		_, b, err := ws.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b...)
	}
	if string(got) != text {
		t.Fatalf("got %q back, want %q", got, text)
	}
}

func protocols() []string {
	return []string{stream.ProtocolRFB, stream.ProtocolTCP, stream.ProtocolWebSocket, stream.ProtocolMessages}
}

// speaksWebSocket tells what the desktops of a protocol speak.
func speaksWebSocket(protocol string) bool {
	return protocol == stream.ProtocolWebSocket || protocol == stream.ProtocolMessages
}
