package stream_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/stream"
)

// What goes to the client and what comes from it, in bytes; odd on purpose.
const (
	downSize = 1<<30 + 12345
	upSize   = 64<<20 + 123
)

// exchange sends so many pseudo-random bytes of a seed and hashes those that come meanwhile.
func exchange(conn io.ReadWriter, seed byte, send, receive int64) (sent, received string, err error) {
	done := make(chan error, 1)
	in := sha256.New()
	go func() {
		_, err := io.CopyN(in, conn, receive)
		done <- err
	}()
	out := sha256.New()
	random := rand.NewChaCha8([32]byte{seed})
	buf := make([]byte, 300_001)
	for left := send; left > 0; {
		b := buf[:min(left, 1+int64(random.Uint64()%uint64(len(buf))))]
		_, _ = random.Read(b)
		out.Write(b)
		if _, err := conn.Write(b); err != nil {
			return "", "", err
		}
		left -= int64(len(b))
	}
	if err := <-done; err != nil {
		return "", "", err
	}
	return fmt.Sprintf("%x", out.Sum(nil)), fmt.Sprintf("%x", in.Sum(nil)), nil
}

func TestBytesArriveBothWays(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			type result struct {
				sent, received string
				err            error
			}
			upstream := make(chan result, 1)
			var addr string
			if speaksWebSocket(protocol) {
				addr = listenWebSocket(t, func(ws *websocket.Conn, _ *http.Request) {
					var r result
					r.sent, r.received, r.err = exchange(websocket.NetConn(context.Background(), ws, websocket.MessageBinary), 1, downSize, upSize)
					upstream <- r
					_, _, _ = ws.Read(context.Background())
				})
			} else {
				addr = listen(t, func(conn *net.TCPConn) {
					var r result
					r.sent, r.received, r.err = exchange(conn, 1, downSize, upSize)
					upstream <- r
					quiet(conn)
				})
			}
			b := newBench(t, newDesk(t, protocol, addr), stream.Options{})
			ws := b.open(t, "binary")
			if got := ws.Subprotocol(); got != "binary" {
				t.Errorf("subprotocol %q, want binary", got)
			}
			if n := b.gateway.Active(); n != 1 {
				t.Errorf("%d active streams, want 1", n)
			}
			sent, received, err := exchange(websocket.NetConn(t.Context(), ws, websocket.MessageBinary), 2, upSize, downSize)
			if err != nil {
				t.Fatal(err)
			}
			r := <-upstream
			if r.err != nil {
				t.Fatal(r.err)
			}
			if received != r.sent || r.received != sent {
				t.Error("bytes differ between the ends")
			}
			if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Errorf("close: %v", err)
			}
			b.ended(t, 1)
		})
	}
}

// wrapped hides the kind of a connection, as a port-forward through an engine's API does.
type wrapped struct{ net.Conn }

func TestBytesArriveOverAnyKindOfConnection(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			d := newEchoDesk(t, protocol)
			dial := d.dial
			d.dial = func(ctx context.Context) (net.Conn, error) {
				conn, err := dial(ctx)
				return wrapped{conn}, err
			}
			b := newBench(t, d, stream.Options{CloseTimeout: 100 * time.Millisecond})
			ws := b.open(t)
			says(t, ws, "short")
			says(t, ws, string(bytes.Repeat([]byte("0123456789"), 100_000)))
			_ = ws.Close(websocket.StatusNormalClosure, "")
			b.ended(t, 1)
		})
	}
}

// TestSlowClientIsNotBufferedFor offers a client that reads nothing far more than kernels hold, and counts what is taken.
func TestSlowClientIsNotBufferedFor(t *testing.T) {
	const offered = 512 << 20
	for _, protocol := range []string{stream.ProtocolRFB, stream.ProtocolWebSocket} {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			var taken atomic.Int64
			done := make(chan struct{})
			fill := func(w io.Writer) {
				defer close(done)
				chunk := make([]byte, 64<<10)
				for taken.Load() < offered {
					n, err := w.Write(chunk)
					taken.Add(int64(n))
					if err != nil {
						return
					}
				}
			}
			var addr string
			if speaksWebSocket(protocol) {
				addr = listenWebSocket(t, func(ws *websocket.Conn, _ *http.Request) {
					fill(websocket.NetConn(context.Background(), ws, websocket.MessageBinary))
				})
			} else {
				addr = listen(t, func(conn *net.TCPConn) { fill(conn) })
			}
			b := newBench(t, newDesk(t, protocol, addr), stream.Options{})
			slow, _, _ := b.raw(t, "", "")
			// Wait until nothing moves any more.
			for last, still := int64(-1), 0; still < 20; {
				select {
				case <-done:
					t.Fatalf("all %d bytes were taken for a client that read nothing", offered)
				case <-time.After(20 * time.Millisecond):
				}
				if now := taken.Load(); now == last && now > 0 {
					still++
				} else {
					last, still = now, 0
				}
			}
			t.Logf("%d KiB were on the way", taken.Load()>>10)
			if n := taken.Load(); n > 64<<20 {
				t.Errorf("%d bytes were taken for a client that read nothing", n)
			}
			_ = slow.Close()
			b.ended(t, 1)
			select {
			case <-done:
			case <-time.After(patience):
				t.Error("the desktop was not told")
			}
		})
	}
}

// TestADesktopThatTakesNothingHoldsUpNoOther has more such desktops than there are processors, beside others.
func TestADesktopThatTakesNothingHoldsUpNoOther(t *testing.T) {
	for _, protocol := range []string{stream.ProtocolRFB, stream.ProtocolWebSocket} {
		t.Run(protocol, func(t *testing.T) {
			noLeaks(t)
			stuck := int64(2*runtime.GOMAXPROCS(0) + 1)
			const much = 16 << 20
			var streams atomic.Int64
			takes := make(chan struct{})
			taken := make(chan int64, stuck)
			serve := func(conn io.ReadWriter) {
				if streams.Add(1) > stuck {
					_, _ = io.Copy(conn, conn)
					return
				}
				<-takes
				n, _ := io.CopyN(io.Discard, conn, much)
				taken <- n
			}
			var addr string
			if speaksWebSocket(protocol) {
				addr = listenWebSocket(t, func(ws *websocket.Conn, _ *http.Request) {
					ws.SetReadLimit(-1)
					serve(websocket.NetConn(context.Background(), ws, websocket.MessageBinary))
				})
			} else {
				addr = listen(t, func(conn *net.TCPConn) { serve(conn) })
			}
			b := newBench(t, newDesk(t, protocol, addr), stream.Options{CloseTimeout: 100 * time.Millisecond})
			var clients []*websocket.Conn
			written := make(chan error, stuck)
			for i := range stuck {
				ws := b.open(t)
				clients = append(clients, ws)
				waitFor(t, func() bool { return streams.Load() == i+1 })
				go func() {
					_, err := websocket.NetConn(context.Background(), ws, websocket.MessageBinary).Write(make([]byte, much))
					written <- err
				}()
			}
			for range stuck {
				ws := b.open(t)
				clients = append(clients, ws)
				says(t, ws, "others go on")
			}
			close(takes)
			for range stuck {
				if n := <-taken; n != much {
					t.Errorf("%d bytes arrived", n)
				}
				if err := <-written; err != nil {
					t.Error(err)
				}
			}
			for _, ws := range clients {
				_ = ws.CloseNow()
			}
			b.ended(t, len(clients))
		})
	}
}

// waitFor waits until something is true.
func waitFor(t testing.TB, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}
