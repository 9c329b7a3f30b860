package stream

import (
	"context"
	"net"
)

// The protocols of endpoints, as [Attachment.Protocol] gives them.
const (
	ProtocolWebSocket = "websocket"
	ProtocolRFB       = "rfb"
	ProtocolTCP       = "tcp"
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
	// Path is the path of the upstream handshake, beginning with a slash; for the websocket protocol only.
	Path() string
	// Dial connects to the endpoint. The caller closes the connection. ctx bounds dialling alone.
	Dial(ctx context.Context) (net.Conn, error)
	// Context ends when the desktop ends; the stream is closed then.
	Context() context.Context
	// Release stops counting. It is idempotent.
	Release()
}
