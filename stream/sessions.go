package stream

import (
	"context"
	"io"
	"net"
)

// The protocols of endpoints, as [Attachment.Protocol] gives them.
const (
	// ProtocolWebSocket is passed through after the handshake.
	ProtocolWebSocket = "websocket"
	// ProtocolMessages is WebSocket, too, but what its messages hold is framed anew, so a Guard can look at it.
	ProtocolMessages = "websocket-messages"
	// ProtocolRFB and ProtocolTCP are plain bytes.
	ProtocolRFB = "rfb"
	ProtocolTCP = "tcp"
)

// Sessions is what the gateway needs from below. It is safe for concurrent use.
type Sessions interface {
	// Attach finds the desktop behind a stream token and counts a client on it until Release. Its error reaches
	// Options.WriteError as it is.
	Attach(ctx context.Context, token, endpoint string) (Attachment, error)
}

// Attachment is one counted client of one endpoint of a desktop.
type Attachment interface {
	// Protocol is one of the Protocol constants.
	Protocol() string
	// Path is the path of the upstream handshake, beginning with a slash; for the two WebSocket protocols only.
	Path() string
	// Guard gives what stands between the client and the desktop, which speak plain bytes by these connections, or nil
	// where nothing does. It is called once, after the upgrade, and not for what is passed through.
	Guard(client io.ReadWriter, desktop net.Conn) Guard
	// Dial connects to the endpoint. The caller closes the connection. ctx bounds dialling alone.
	Dial(ctx context.Context) (net.Conn, error)
	// Context ends when the desktop ends; the stream is closed then.
	Context() context.Context
	// Release stops counting. It is idempotent.
	Release()
}

// Guard understands what a client and its desktop say to each other, and lets through what the client may do. One
// goroutine calls Handshake and then FromClient, another one ToClient after Handshake, and Leave comes last.
type Guard interface {
	// Handshake opens the conversation with both sides, until ctx ends or one of the connections does. Its error ends
	// the stream.
	Handshake(ctx context.Context) error
	// FromClient writes to the desktop what the client may say of b, which it may change but not keep. Its error ends
	// the stream: the client is told that it broke a rule (status 1008) and what the error says.
	FromClient(b []byte) error
	// FiltersServer tells whether ToClient is to be called for what the desktop sends. Otherwise it goes on unseen.
	FiltersServer() bool
	// ToClient gives what the client may see of b, which it may change but not keep.
	ToClient(b []byte) ([]byte, error)
	// Leave says that the client has left.
	Leave()
}
