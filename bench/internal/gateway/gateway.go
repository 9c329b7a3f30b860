//go:build linux

// Package gateway wires Sage's stream gateway for measuring: one endpoint at a fixed address, in a process of its own,
// so that what it uses is seen from outside. Nothing else of Sage is in that process.
package gateway

import (
	"context"
	"io"
	"net"

	"sage/stream"
	"sage/viewer"
)

// Endpoint is what the gateway under test leads to. Its fields travel to the process as arguments, see [Start].
type Endpoint struct {
	// Protocol is one of the gateway's protocols.
	Protocol string
	// Address is where the endpoint listens; Path is for the websocket protocol only.
	Address, Path string
	// Understand makes the gateway look into the RFB stream on its way.
	Understand bool
}

// newGateway is the one place where the gateway under test is put together.
func newGateway(endpoint Endpoint) *stream.Gateway {
	return stream.New(sessions{endpoint}, stream.Options{})
}

// sessions leads every token to the one endpoint.
type sessions struct{ endpoint Endpoint }

// Attach gives the endpoint, whatever is asked for.
func (s sessions) Attach(context.Context, string, string) (stream.Attachment, error) {
	return attachment{s.endpoint, context.Background()}, nil
}

// attachment is a client of the endpoint, which never ends.
type attachment struct {
	endpoint Endpoint
	ctx      context.Context
}

func (a attachment) Protocol() string         { return a.endpoint.Protocol }
func (a attachment) Path() string             { return a.endpoint.Path }
func (a attachment) Context() context.Context { return a.ctx }
func (a attachment) Release()                 {}

// Dial connects to the endpoint, as the engines' backends do.
func (a attachment) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", a.endpoint.Address)
}

// Guard puts nothing between, unless the gateway is to understand what passes.
func (a attachment) Guard(client io.ReadWriter, desktop net.Conn) stream.Guard {
	if !a.endpoint.Understand {
		return nil
	}
	return viewer.NewDesk(viewer.Options{}).Join(viewer.Policy{}, client, desktop)
}
