//go:build linux

package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"sage/bench/internal/wire"
)

// TestEcho sends messages around the limits of the frames' lengths and of the buffer to a server that sends them back,
// with a ping before each.
func TestEcho(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	for _, blocking := range []bool{false, true} {
		t.Run("blocking "+strconv.FormatBool(blocking), func(t *testing.T) {
			conn, err := wire.Dial(strings.TrimPrefix(server.URL, "http://"), "/", 1000, blocking)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			sizes := []int{1, 125, 126, 300, 999, 1000, 65535, 65536, 1 << 20}
			for i, size := range sizes {
				want := bytes.Repeat([]byte{byte(i), 1, 2, 3, 5}, size/5+1)[:size]
				if _, err := conn.Write(want); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, size)
				if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%d bytes came back wrong: %v", size, err)
				}
			}
			if n := conn.Pings(); n != int64(len(sizes)) {
				t.Errorf("%d pings were answered", n)
			}
			if _, err := conn.Write([]byte{}); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after the close frame: %v", err)
			}
		})
	}
}

// echo sends everything back until an empty message comes.
func echo(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"binary"}})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(-1)
	for ctx := context.WithoutCancel(r.Context()); ; {
		_, b, err := ws.Read(ctx)
		if err != nil || len(b) == 0 {
			_ = ws.Close(websocket.StatusNormalClosure, "")
			return
		}
		// The answer to the ping comes to the next Read.
		go func() {
			if ws.Ping(ctx) == nil {
				_ = ws.Write(ctx, websocket.MessageBinary, b)
			}
		}()
	}
}
