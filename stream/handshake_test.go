package stream_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/stream"
)

// answering is an endpoint that answers any handshake with the same text.
func answering(t *testing.T, answer string) string {
	return listen(t, func(conn *net.TCPConn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, answer)
	})
}

func TestRefusals(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	refusing := nobody.Addr().String()
	handshake := request("sage.test", "/stream/good/vnc", "")
	with := func(old, new string) string { return strings.Replace(handshake, old, new, 1) }

	for _, tt := range []struct {
		name     string
		protocol string // Default rfb.
		upstream func(t *testing.T) string
		request  string
		opts     stream.Options
		want     error // Nil: an error of no special kind.
		status   int
		header   string // Name: value that the answer must have.
		attaches int64
	}{
		{name: "no upgrade", request: with("Upgrade: WebSocket\r\n", ""), want: stream.ErrUpgradeRequired, status: 426, header: "Upgrade: websocket"},
		{name: "no upgrade in connection", request: with("keep-alive, Upgrade", "keep-alive"), want: stream.ErrUpgradeRequired, status: 426, header: "Connection: Upgrade"},
		{name: "http/1.0", request: with("HTTP/1.1", "HTTP/1.0"), want: stream.ErrUpgradeRequired, status: 426},
		{name: "old version", request: with("Version: 13", "Version: 8"), want: stream.ErrHandshake, status: 400, header: "Sec-Websocket-Version: 13"},
		{name: "no key", request: with("Sec-WebSocket-Key: "+key+"\r\n", ""), want: stream.ErrHandshake, status: 400},
		{name: "two keys", request: with("Sec-WebSocket-Key", "Sec-WebSocket-Key: "+key+"\r\nSec-WebSocket-Key"), want: stream.ErrHandshake, status: 400},
		{name: "short key", request: with(key, "c2hvcnQ="), want: stream.ErrHandshake, status: 400},
		{name: "key no base64", request: with(key, "!"+key[1:]), want: stream.ErrHandshake, status: 400},
		{name: "foreign origin", request: with("Upgrade:", "Origin: https://evil.test\r\nUpgrade:"), want: stream.ErrOrigin, status: 403},
		{name: "null origin", request: with("Upgrade:", "Origin: null\r\nUpgrade:"), want: stream.ErrOrigin, status: 403},
		{name: "origin by own rule", request: handshake, want: stream.ErrOrigin, status: 403, opts: stream.Options{
			CheckOrigin: func(*http.Request) error { return errors.New("never") },
		}},
		{name: "wrong token", request: with("/good/", "/goo/"), want: errUnknownToken, status: 404},
		{name: "nobody listens", upstream: func(*testing.T) string { return refusing }, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1},
		{name: "nobody listens, websocket", protocol: stream.ProtocolWebSocket, upstream: func(*testing.T) string { return refusing },
			request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1},
		{name: "upstream does not upgrade", protocol: stream.ProtocolWebSocket, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1,
			upstream: func(t *testing.T) string { return answering(t, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") }},
		{name: "upstream has the wrong key", protocol: stream.ProtocolWebSocket, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1,
			upstream: func(t *testing.T) string {
				return answering(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
			}},
		{name: "upstream speaks rfb", protocol: stream.ProtocolWebSocket, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1,
			upstream: func(t *testing.T) string { return answering(t, "RFB 003.008\n") }},
		{name: "upstream hangs up", protocol: stream.ProtocolWebSocket, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1,
			upstream: func(t *testing.T) string { return answering(t, "") }},
		{name: "upstream answers without end", protocol: stream.ProtocolWebSocket, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1,
			upstream: func(t *testing.T) string { return answering(t, "HTTP/1.1 101 Yes\r\nX: "+strings.Repeat("x", 1<<20)) }},
		{name: "upstream never answers", protocol: stream.ProtocolWebSocket, request: handshake, want: stream.ErrUpstream, status: 502, attaches: 1,
			upstream: func(t *testing.T) string { return listen(t, quiet) }, opts: stream.Options{DialTimeout: 50 * time.Millisecond}},
		{name: "unknown protocol", protocol: "udp", request: handshake, status: http.StatusTeapot, attaches: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			if tt.protocol == "" {
				tt.protocol = stream.ProtocolRFB
			}
			if tt.upstream == nil {
				tt.upstream = func(t *testing.T) string { return listen(t, quiet) }
			}
			b := newBench(t, newDesk(t, tt.protocol, tt.upstream(t)), tt.opts)
			conn, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.request); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got := <-b.errs
			if tt.want != nil && !errors.Is(got, tt.want) {
				t.Errorf("error %v, want %v", got, tt.want)
			}
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if name, value, ok := strings.Cut(tt.header, ": "); ok && resp.Header.Get(name) != value {
				t.Errorf("header %s is %q, want %q", name, resp.Header.Get(name), value)
			}
			if n := b.attached.Load(); n != tt.attaches {
				t.Errorf("attached %d times, want %d", n, tt.attaches)
			}
			b.ended(t, int(tt.attaches))
		})
	}
}

func TestOwnOriginIsWelcome(t *testing.T) {
	noLeaks(t)
	b := newBench(t, newEchoDesk(t, stream.ProtocolRFB), stream.Options{})
	conn, _, _ := b.raw(t, "Origin: http://"+b.addr+"\r\n", "")
	_ = conn.Close()
	b.ended(t, 1)
}

func TestEndpointIsChosenByPath(t *testing.T) {
	noLeaks(t)
	b := newBench(t, newEchoDesk(t, stream.ProtocolTCP), stream.Options{})
	for path, want := range map[string]string{"/stream/good": "vnc", "/stream/good/vnc": "vnc", "/stream/good/audio": "audio"} {
		ws, _, err := websocket.Dial(t.Context(), "ws://"+b.addr+path, &websocket.DialOptions{HTTPClient: b.http})
		if err != nil {
			t.Fatal(err)
		}
		if got := <-b.endpoints; got != want {
			t.Errorf("%s attached to %q, want %q", path, got, want)
		}
		_ = ws.Close(websocket.StatusNormalClosure, "")
		b.ended(t, 1)
	}
}

func TestNegotiation(t *testing.T) {
	for _, tt := range []struct {
		name, protocol string
		offered        []string
		want           string
	}{
		{"rfb, binary among others", stream.ProtocolRFB, []string{"base64", "binary"}, "binary"},
		{"rfb, nothing offered", stream.ProtocolRFB, nil, ""},
		{"rfb, only unknown offered", stream.ProtocolRFB, []string{"base64"}, ""},
		{"websocket, the endpoint chooses", stream.ProtocolWebSocket, []string{"base64", "binary"}, "binary"},
		{"websocket, nothing offered", stream.ProtocolWebSocket, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newEchoDesk(t, tt.protocol), stream.Options{})
			extra := "Sec-WebSocket-Extensions: permessage-deflate\r\n"
			if tt.offered != nil {
				extra += "Sec-WebSocket-Protocol: " + strings.Join(tt.offered, ", ") + "\r\n"
			}
			conn, _, resp := b.raw(t, extra, "")
			if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != tt.want {
				t.Errorf("subprotocol %q, want %q", got, tt.want)
			}
			if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != "" {
				t.Errorf("extensions %q, want none", got)
			}
			_ = conn.Close()
			b.ended(t, 1)
		})
	}
}

func TestUpstreamLearnsOnlyWhatItNeeds(t *testing.T) {
	noLeaks(t)
	seen := make(chan *http.Request, 1)
	b := newBench(t, newDesk(t, stream.ProtocolWebSocket, listenWebSocket(t, func(ws *websocket.Conn, r *http.Request) {
		seen <- r
		_, _, _ = ws.Read(context.Background())
	})), stream.Options{})
	conn, _, _ := b.raw(t, "Cookie: session=secret\r\nAuthorization: Bearer secret\r\nX-Forwarded-For: 192.0.2.1\r\n"+
		"Origin: http://"+b.addr+"\r\nSec-WebSocket-Protocol: binary\r\n", "")
	r := <-seen
	if r.URL.Path != "/websockify" || r.Host == b.addr {
		t.Errorf("upstream was asked for %s at %s", r.URL.Path, r.Host)
	}
	for name := range r.Header {
		switch name {
		case "Connection", "Upgrade", "Sec-Websocket-Version", "Sec-Websocket-Key", "Sec-Websocket-Protocol":
		default:
			t.Errorf("upstream got header %s", name)
		}
	}
	_ = conn.Close()
	b.ended(t, 1)
}

// TestNothingIsLostAroundTheHandshake sends data in the same packets as the handshakes, on both sides.
func TestNothingIsLostAroundTheHandshake(t *testing.T) {
	noLeaks(t)
	const banner = "\x82\x05hello"
	first := masked(2, "early bird")
	got := make(chan string, 1)
	b := newBench(t, newDesk(t, stream.ProtocolWebSocket, listen(t, func(conn *net.TCPConn) {
		br := bufio.NewReader(conn)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"+banner)
		buf := make([]byte, len(first))
		_, _ = io.ReadFull(br, buf)
		got <- string(buf)
	})), stream.Options{})
	conn, br, _ := b.raw(t, "", first)
	buf := make([]byte, len(banner))
	if _, err := io.ReadFull(br, buf); err != nil || string(buf) != banner {
		t.Errorf("client got %q, %v", buf, err)
	}
	if s := <-got; s != first {
		t.Errorf("upstream got %q, want %q", s, first)
	}
	_ = conn.Close()
	b.ended(t, 1)
}

func TestEarlyMessageOfFramedStream(t *testing.T) {
	noLeaks(t)
	b := newBench(t, newEchoDesk(t, stream.ProtocolRFB), stream.Options{})
	conn, br, _ := b.raw(t, "", masked(2, "early"))
	buf := make([]byte, 7)
	if _, err := io.ReadFull(br, buf); err != nil || string(buf) != "\x82\x05early" {
		t.Errorf("client got %q, %v", buf, err)
	}
	_ = conn.Close()
	b.ended(t, 1)
}
