package stream_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/stream"
)

// produce sends pixels for ever.
func produce(w io.Writer) {
	for chunk := make([]byte, 1<<20); ; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// rate gives how many bytes per second come from r.
func rate(b *testing.B, r io.Reader, n int64) float64 {
	buf := make([]byte, 256<<10)
	began := time.Now()
	for left := n; left > 0; {
		k, err := r.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		left -= int64(k)
	}
	return float64(n) / time.Since(began).Seconds()
}

// BenchmarkThroughput reports the rate of each way to the pixels as a ratio to the plain TCP connection beside it, in the
// same run: rfb to the desktop dialled directly, websocket to the endpoint's own WebSocket dialled directly.
func BenchmarkThroughput(b *testing.B) {
	const size = 256 << 20
	for _, protocol := range []string{stream.ProtocolRFB, stream.ProtocolWebSocket} {
		b.Run(protocol, func(b *testing.B) {
			var addr string
			if protocol == stream.ProtocolWebSocket {
				addr = listenWebSocket(b, func(ws *websocket.Conn, _ *http.Request) {
					produce(websocket.NetConn(context.Background(), ws, websocket.MessageBinary))
				})
			} else {
				addr = listen(b, func(conn *net.TCPConn) { produce(conn) })
			}
			bench := newBench(b, newDesk(b, protocol, addr), stream.Options{})
			b.SetBytes(size)
			var direct, through float64
			for b.Loop() {
				b.StopTimer()
				if protocol == stream.ProtocolWebSocket {
					ws, _, err := websocket.Dial(b.Context(), "ws://"+addr, &websocket.DialOptions{HTTPClient: bench.http})
					if err != nil {
						b.Fatal(err)
					}
					ws.SetReadLimit(-1)
					direct += rate(b, websocket.NetConn(b.Context(), ws, websocket.MessageBinary), size)
					_ = ws.CloseNow()
				} else {
					conn, err := net.Dial("tcp", addr)
					if err != nil {
						b.Fatal(err)
					}
					direct += rate(b, conn, size)
					_ = conn.Close()
				}
				b.StartTimer()
				ws := bench.open(b)
				through += rate(b, websocket.NetConn(b.Context(), ws, websocket.MessageBinary), size)
				_ = ws.CloseNow()
			}
			b.ReportMetric(through/direct, "of-direct")
		})
	}
}
