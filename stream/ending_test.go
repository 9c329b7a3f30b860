package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/stream"
)

// closeError reads until the stream ends and gives what came and how it ended.
func closeError(t *testing.T, ws *websocket.Conn) (string, websocket.CloseError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var data strings.Builder
	for {
		_, b, err := ws.Read(ctx)
		data.Write(b)
		if err != nil {
			var ce websocket.CloseError
			if !errors.As(err, &ce) {
				t.Fatalf("stream ended without a close frame: %v", err)
			}
			return data.String(), ce
		}
	}
}

func TestUpstreamClosesFirst(t *testing.T) {
	const last = "last words"
	for _, tt := range []struct {
		protocol string
		upstream func(t *testing.T) string
		code     websocket.StatusCode
	}{
		{stream.ProtocolRFB, func(t *testing.T) string {
			return listen(t, func(conn *net.TCPConn) { _, _ = io.WriteString(conn, last) })
		}, websocket.StatusNormalClosure},
		{stream.ProtocolWebSocket, func(t *testing.T) string {
			return listenWebSocket(t, func(ws *websocket.Conn, _ *http.Request) {
				_ = ws.Write(context.Background(), websocket.MessageBinary, []byte(last))
				_ = ws.Close(4321, "own reason")
			})
		}, 4321},
	} {
		t.Run(tt.protocol, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newDesk(t, tt.protocol, tt.upstream(t)), stream.Options{})
			data, ce := closeError(t, b.open(t))
			if data != last || ce.Code != tt.code {
				t.Errorf("got %q and close code %d, want %q and %d", data, ce.Code, last, tt.code)
			}
			b.ended(t, 1)
		})
	}
}

func TestClientLeaves(t *testing.T) {
	for _, protocol := range protocols() {
		for name, leave := range map[string]func(*net.TCPConn){
			"with a close frame": func(c *net.TCPConn) { _, _ = io.WriteString(c, masked(8, "\x03\xe8")) },
			"without a word":     func(c *net.TCPConn) { _ = c.Close() },
			"by reset":           func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
			"with half a frame":  func(c *net.TCPConn) { _, _ = io.WriteString(c, masked(2, "abc")[:4]); _ = c.Close() },
		} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				noLeaks(t)
				b := newBench(t, newEchoDesk(t, protocol), stream.Options{})
				conn, _, _ := b.raw(t, "", "")
				leave(conn)
				b.ended(t, 1)
			})
		}
	}
}

func TestSilentClientIsGivenUp(t *testing.T) {
	for _, protocol := range []string{stream.ProtocolRFB, stream.ProtocolTCP} {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newEchoDesk(t, protocol), stream.Options{PingInterval: 10 * time.Millisecond, PingTimeout: 50 * time.Millisecond})
			_, br, _ := b.raw(t, "", "")
			if first, err := br.ReadByte(); err != nil || first != 0x89 {
				t.Fatalf("first byte %#x, %v, want a ping", first, err)
			}
			b.ended(t, 1) // The connection is still open on the client's side.
		})
	}
}

func TestAnsweringClientStays(t *testing.T) {
	noLeaks(t)
	b := newBench(t, newEchoDesk(t, stream.ProtocolRFB), stream.Options{PingInterval: 5 * time.Millisecond, PingTimeout: 5 * time.Second})
	pings := make(chan struct{}, 1000)
	ws, _, err := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{
		HTTPClient:     b.http,
		OnPingReceived: func(context.Context, []byte) bool { pings <- struct{}{}; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	answer := make(chan string, 1)
	go func() {
		_, b, err := ws.Read(t.Context())
		answer <- fmt.Sprint(string(b), err)
	}()
	for range 20 {
		<-pings
	}
	if err := ws.Write(t.Context(), websocket.MessageBinary, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got != "still here<nil>" {
		t.Errorf("got %s", got)
	}
	_ = ws.Close(websocket.StatusNormalClosure, "")
	b.ended(t, 1)
}

func TestDesktopStops(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newEchoDesk(t, protocol), stream.Options{})
			ws := b.open(t)
			says(t, ws, "hello")
			b.stop()
			if protocol == stream.ProtocolWebSocket {
				// No frame can be put into a stream that is not looked at: the connection just ends.
				if _, _, err := ws.Read(t.Context()); err == nil {
					t.Error("the stream goes on")
				}
			} else if _, ce := closeError(t, ws); ce.Code != websocket.StatusGoingAway || ce.Reason != "desktop stopped" {
				t.Errorf("closed with %d %q", ce.Code, ce.Reason)
			}
			b.ended(t, 1)
		})
	}
}

// TestDesktopStopsUnderLoad stops a desktop whose viewer takes nothing, so that no close frame can be sent.
func TestDesktopStopsUnderLoad(t *testing.T) {
	noLeaks(t)
	flows := make(chan struct{}, 1)
	b := newBench(t, newDesk(t, stream.ProtocolRFB, listen(t, func(conn *net.TCPConn) {
		for chunk := make([]byte, 1<<20); ; {
			_ = conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			if _, err := conn.Write(chunk); err != nil {
				flows <- struct{}{} // Full, or closed.
				quiet(conn)
				return
			}
		}
	})), stream.Options{CloseTimeout: 50 * time.Millisecond})
	b.raw(t, "", "")
	<-flows
	b.stop()
	b.ended(t, 1)
}

func TestStoppedDesktopIsNotServed(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			d := newEchoDesk(t, protocol)
			dial := d.dial
			d.dial = func(ctx context.Context) (net.Conn, error) {
				conn, err := dial(ctx)
				d.stop()
				<-ctx.Done()
				return conn, err
			}
			b := newBench(t, d, stream.Options{})
			if _, resp, err := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{HTTPClient: b.http}); err == nil || resp.StatusCode != 502 {
				t.Errorf("got %v, want status 502", err)
			}
			b.ended(t, 1)
		})
	}
}

func TestBadFrames(t *testing.T) {
	for _, tt := range []struct {
		name, frame string
		code        websocket.StatusCode
	}{
		{"text", masked(1, "hello"), websocket.StatusUnsupportedData},
		{"not masked", "\x82\x05hello", websocket.StatusProtocolError},
		{"reserved bit", "\xc2\x80\x00\x00\x00\x00", websocket.StatusProtocolError},
		{"unknown opcode", masked(3, "x"), websocket.StatusProtocolError},
		{"too large", "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" + strings.Repeat("x", 65536), websocket.StatusMessageTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newDesk(t, stream.ProtocolRFB, listen(t, quiet)), stream.Options{MaxClientMessage: 1000, CloseTimeout: 100 * time.Millisecond})
			_, br, _ := b.raw(t, "", tt.frame)
			head := make([]byte, 4)
			if _, err := io.ReadFull(br, head); err != nil || head[0] != 0x88 {
				t.Fatalf("got %x, %v, want a close frame", head, err)
			}
			if code := websocket.StatusCode(head[2])<<8 | websocket.StatusCode(head[3]); code != tt.code {
				t.Errorf("close code %d, want %d", code, tt.code)
			}
			b.ended(t, 1)
		})
	}
}

func TestFragmentsAreJoined(t *testing.T) {
	noLeaks(t)
	b := newBench(t, newEchoDesk(t, stream.ProtocolTCP), stream.Options{})
	first := []byte(masked(2, "frag"))
	first[0] &^= 0x80
	_, br, _ := b.raw(t, "", string(first)+masked(9, "ping")+masked(0, "ment"))
	var data []byte
	for len(data) < 8 {
		head := make([]byte, 2)
		if _, err := io.ReadFull(br, head); err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, head[1])
		if _, err := io.ReadFull(br, payload); err != nil {
			t.Fatal(err)
		}
		if head[0] == 0x82 {
			data = append(data, payload...)
		}
	}
	if string(data) != "fragment" {
		t.Errorf("got %q", data)
	}
}

// TestHalfClose ends the client's side of a passed-through stream alone.
func TestHalfClose(t *testing.T) {
	const last = "last words"
	head := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	for _, tt := range []struct {
		name  string
		after func(conn *net.TCPConn)
		want  string
	}{
		{"upstream answers and closes", func(conn *net.TCPConn) { _, _ = io.WriteString(conn, last) }, last},
		{"upstream stays for ever", func(conn *net.TCPConn) {
			// Nothing more can be read after the half-close, so hold on until a write fails.
			for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newDesk(t, stream.ProtocolWebSocket, listen(t, func(conn *net.TCPConn) {
				br := bufio.NewReader(conn)
				_, _ = http.ReadRequest(br)
				_, _ = io.WriteString(conn, head)
				_, _ = io.Copy(io.Discard, br)
				tt.after(conn)
			})), stream.Options{CloseTimeout: 300 * time.Millisecond})
			conn, br, _ := b.raw(t, "", "")
			_ = conn.CloseWrite()
			got, _ := io.ReadAll(br)
			if tt.want != "" && string(got) != tt.want {
				t.Errorf("client got %q, want %q", got, tt.want)
			}
			b.ended(t, 1)
		})
	}
}

func TestDrain(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newEchoDesk(t, protocol), stream.Options{CloseTimeout: 100 * time.Millisecond})
			ws := b.open(t)
			says(t, ws, "before")
			short, cancel := context.WithCancel(t.Context())
			cancel()
			if err := b.gateway.Drain(short); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 streams open") {
				t.Errorf("without patience: %v", err)
			}
			drained := make(chan error, 1)
			go func() { drained <- b.gateway.Drain(t.Context()) }()
			if _, resp, err := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{HTTPClient: b.http}); err == nil || resp.StatusCode != 503 {
				t.Errorf("a new stream: %v, want status 503", err)
			}
			says(t, ws, "meanwhile")
			select {
			case err := <-drained:
				t.Fatalf("it did not wait: %v", err)
			default:
			}
			_ = ws.CloseNow()
			if err := <-drained; err != nil {
				t.Error(err)
			}
			b.ended(t, 1)
		})
	}
}

func TestShutdown(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			b := newBench(t, newEchoDesk(t, protocol), stream.Options{CloseTimeout: 100 * time.Millisecond})
			var open []*websocket.Conn
			for range 5 {
				ws := b.open(t)
				says(t, ws, "hello")
				open = append(open, ws)
			}
			b.raw(t, "", "") // This one will not answer the close frame.
			if err := b.gateway.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a, r := b.attached.Load(), b.released.Load(); a != 6 || r != 6 {
				t.Errorf("%d attached and %d released when Shutdown returned, want 6", a, r)
			}
			if protocol != stream.ProtocolWebSocket {
				if _, ce := closeError(t, open[0]); ce.Code != websocket.StatusGoingAway {
					t.Errorf("closed with %d", ce.Code)
				}
			}
			if _, resp, err := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{HTTPClient: b.http}); err == nil || resp.StatusCode != 503 {
				t.Errorf("after Shutdown: %v, want status 503", err)
			}
			if err := b.gateway.Shutdown(t.Context()); err != nil {
				t.Errorf("second Shutdown: %v", err)
			}
			b.ended(t, 6)
		})
	}
}

func TestShutdownReachesStreamsThatAreStarting(t *testing.T) {
	noLeaks(t)
	d := newEchoDesk(t, stream.ProtocolRFB)
	dialling := make(chan struct{})
	d.dial = func(ctx context.Context) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	b := newBench(t, d, stream.Options{})
	status := make(chan int, 1)
	go func() {
		_, resp, _ := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{HTTPClient: b.http})
		status <- resp.StatusCode
	}()
	<-dialling
	if err := b.gateway.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != 503 {
		t.Errorf("status %d, want 503", got)
	}
	b.ended(t, 1)
}

func TestShutdownWithoutPatienceCuts(t *testing.T) {
	noLeaks(t)
	b := newBench(t, newEchoDesk(t, stream.ProtocolRFB), stream.Options{CloseTimeout: time.Hour})
	b.raw(t, "", "") // Will not answer the close frame.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.gateway.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	b.ended(t, 1)
}

// panicking is a connection whose Read panics.
type panicking struct{ net.Conn }

func (panicking) Read([]byte) (int, error) { panic(http.ErrAbortHandler) }

func TestPanicsAreReleased(t *testing.T) {
	for _, tt := range []struct {
		name string
		dial func(real func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error)
	}{
		{"in Dial", func(func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
			return func(context.Context) (net.Conn, error) { panic(http.ErrAbortHandler) }
		}},
		{"while copying", func(real func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
			return func(ctx context.Context) (net.Conn, error) {
				conn, err := real(ctx)
				return panicking{conn}, err
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			d := newEchoDesk(t, stream.ProtocolRFB)
			d.dial = tt.dial(d.dial)
			b := newBench(t, d, stream.Options{})
			ws, _, err := websocket.Dial(t.Context(), b.url(), &websocket.DialOptions{HTTPClient: b.http})
			if err == nil {
				_, _, _ = ws.Read(t.Context())
				_ = ws.CloseNow()
			}
			b.ended(t, 1)
		})
	}
}

func TestManyStreamsAtOnce(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			const streams = 50
			b := newBench(t, newEchoDesk(t, protocol), stream.Options{PingInterval: time.Millisecond})
			var open []*websocket.Conn
			for range streams {
				open = append(open, b.open(t))
			}
			for i, ws := range open {
				says(t, ws, fmt.Sprint("stream ", i))
			}
			if n := b.gateway.Active(); n != streams {
				t.Errorf("%d active, want %d", n, streams)
			}
			for _, ws := range open {
				_ = ws.CloseNow()
			}
			b.ended(t, streams)
		})
	}
}
