package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"sage/catalog"
	"sage/rfb"
	"sage/runtime"
)

const (
	// probeInterval is the pause between two looks at a desktop that is coming
	// up: short, since a person waits.
	probeInterval = 15 * time.Millisecond
	// routeInterval is how long a container counts as running that does not listen.
	routeInterval = 250 * time.Millisecond
	// probeTimeout bounds one look.
	probeTimeout = 5 * time.Second
	// tcpSilence is how long a plain TCP endpoint must keep a connection open to
	// count as answering: a forwarder with nothing behind it closes at once.
	tcpSilence = 200 * time.Millisecond
)

// port is the way to a port of a container on which something will listen. It tries
// often and asks the engine seldom, which has other containers to start.
type port struct {
	rt     runtime.Runtime
	id     runtime.ID
	number uint16
	route  runtime.Route
	found  time.Time
}

// dial tries once.
//
// Errors: those of runtime.Runtime.Dial; that the container has ended is noticed
// within routeInterval.
func (p *port) dial(ctx context.Context) (net.Conn, error) {
	if p.route == nil || time.Since(p.found) > routeInterval {
		route, err := p.rt.Route(ctx, p.id, p.number)
		if err != nil {
			return nil, err
		}
		p.route, p.found = route, time.Now()
	}
	return p.route(ctx)
}

// awaitReady waits until the endpoint speaks its protocol. It gives up when the
// container has ended.
func (m *Manager) awaitReady(ctx context.Context, id runtime.ID, e catalog.Endpoint) error {
	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	way := &port{rt: m.rt, id: id, number: e.Port}
	for {
		err := m.probe(ctx, way, e)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, runtime.ErrConflict), errors.Is(err, runtime.ErrNotFound):
			// Its kind says what the engine thinks of the call, not of the start.
			return errors.New("the container has ended: " + err.Error())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the %s endpoint on port %d last said: %w", context.Cause(ctx), e.Name, e.Port, err)
		case <-tick.C:
		}
	}
}

// probe looks once whether the endpoint answers.
func (m *Manager) probe(ctx context.Context, way *port, e catalog.Endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := way.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	switch e.Protocol {
	case catalog.RFB:
		_, err = rfb.ReadGreeting(conn)
	case catalog.WebSocket:
		err = probeWebSocket(conn, e.Path)
	default:
		err = probeTCP(conn)
	}
	return err
}

// probeTCP accepts a connection that stays open or says something.
func probeTCP(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(tcpSilence)); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}
