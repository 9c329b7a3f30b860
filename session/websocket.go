package session

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// probeWebSocket makes the opening handshake of RFC 6455, section 4.1, and
// nothing more.
func probeWebSocket(conn net.Conn, path string) error {
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: desktop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: c2FnZSBsb29rcyBpbi4uLg==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n", path)
	if err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("websocket handshake was answered with %s", resp.Status)
	}
	return nil
}

// openWebSocket gives what the binary messages of a websocket endpoint hold; conn
// is a new connection to it, which is closed with the result or the error. ctx
// bounds the result's life.
func openWebSocket(ctx context.Context, conn net.Conn, path string) (net.Conn, error) {
	client := &http.Client{
		Transport:     &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ws, _, err := websocket.Dial(ctx, "ws://desktop"+path, &websocket.DialOptions{ //nolint:bodyclose // The library sees to it.
		HTTPClient: client, Subprotocols: []string{"binary"},
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return messages{websocket.NetConn(ctx, ws, websocket.MessageBinary), ws}, nil
}

// messages is what the messages of a WebSocket hold.
type messages struct {
	net.Conn
	ws *websocket.Conn
}

// Close is [net.Conn]. It does not wait for the peer's word of farewell.
func (m messages) Close() error { return m.ws.CloseNow() }
