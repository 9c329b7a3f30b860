package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/viewer"
)

// maxViewOnly is how many streams a desktop's view-only link may have at once. VNC
// servers take a bounded number of connections (TurboVNC 100), and those of the full
// link must find room.
const maxViewOnly = 16

// Attachment is one client's hold on a desktop: while it is held the desktop is
// not idle.
type Attachment struct {
	// Endpoint is what the client wants to talk to.
	Endpoint catalog.Endpoint
	// UID is whose desktop it is.
	UID string
	// ViewOnly clients look and do nothing.
	ViewOnly bool

	m       *Manager
	d       *desktop
	id      runtime.ID
	release sync.Once
}

// Attach finds the desktop behind a stream's token and counts a client on it
// until Release. A token of a desktop that is being stopped leads to the uid's
// next one, which is started. The token of a view-only link leads to a desktop
// that runs, starts none, and opens endpoints where looking can be enforced.
//
// Errors: ErrUnknownStream, ErrUnknownEndpoint, ErrViewOnly, ErrTooManyViewers, and those of Start.
func (m *Manager) Attach(ctx context.Context, token, endpoint string) (*Attachment, error) {
	for {
		m.mu.Lock()
		d := m.desktops[m.tokens[token]]
		if d == nil || d.token != token && viewTokenOf(d.token) != token {
			m.mu.Unlock()
			return nil, ErrUnknownStream
		}
		viewOnly := d.token != token
		if d.state.Running() {
			defer m.mu.Unlock()
			return m.attach(d, endpoint, viewOnly)
		}
		m.mu.Unlock()
		if viewOnly {
			return nil, ErrUnknownStream // Who may only look starts nothing.
		}
		s, err := m.Start(ctx, d.uid, Request{})
		if err != nil {
			return nil, err
		}
		token = s.Token
	}
}

// attach counts a client. The Manager's lock is held.
func (m *Manager) attach(d *desktop, endpoint string, viewOnly bool) (*Attachment, error) {
	for _, e := range d.endpoints {
		if e.Name != endpoint {
			continue
		}
		if viewOnly && !e.SpeaksRFB() {
			return nil, fmt.Errorf("%w: it does not lead to the endpoint %q, where a viewer could not be kept from acting", ErrViewOnly, endpoint)
		}
		if viewOnly {
			if d.viewOnly >= maxViewOnly {
				return nil, fmt.Errorf("%w: %d look already", ErrTooManyViewers, maxViewOnly)
			}
			d.viewOnly++
		}
		d.clients++
		if e == d.primary() {
			d.viewers++
		}
		m.tell(d.uid)
		if d.state == Ready {
			d.came = time.Now()
			m.setState(d, Occupied)
		}
		return &Attachment{Endpoint: e, UID: d.uid, ViewOnly: viewOnly, m: m, d: d, id: d.id}, nil
	}
	return nil, fmt.Errorf("%w %q: this desktop has %s", ErrUnknownEndpoint, endpoint, formatEndpoints(d.endpoints))
}

// Understood tells whether what the client sends is to be looked at.
func (a *Attachment) Understood() bool { return a.d.desk != nil && a.Endpoint.SpeaksRFB() }

// Join makes the client a viewer of an Understood desktop: client is its end,
// server its own connection to the endpoint, both before the first byte.
func (a *Attachment) Join(client io.ReadWriter, server net.Conn) *viewer.Viewer {
	return a.d.desk.Join(viewer.Policy{ViewOnly: a.ViewOnly, Clipboard: a.d.viewing.clipboard}, client, server)
}

// Dial connects to the endpoint. While the desktop is young it waits for an
// endpoint that does not listen yet: a start waits for the primary one only. A
// desktop that turns out to have ended is noticed by it.
func (a *Attachment) Dial(ctx context.Context) (net.Conn, error) {
	young, cancel := context.WithDeadline(ctx, a.d.ready.Add(a.d.policy.start))
	defer cancel()
	way := &port{rt: a.m.rt, id: a.id, number: a.Endpoint.Port}
	for {
		conn, err := way.dial(ctx)
		if err == nil && a.Endpoint.Secret && a.d.viewing != nil {
			conn, err = sendSecret(conn, a.d.viewing.password)
		}
		switch {
		case errors.Is(err, runtime.ErrConflict), errors.Is(err, runtime.ErrNotFound):
			_, _ = a.m.confirmEnded(ctx, a.d) // What it does not find, a round of reconciling does.
			return nil, err
		case !errors.Is(err, runtime.ErrRefused):
			return conn, err
		}
		select {
		case <-young.Done():
			return nil, err
		case <-time.After(probeInterval):
		}
	}
}

// sendSecret sends what an endpoint wants to know before it hands anything out.
func sendSecret(conn net.Conn, secret string) (net.Conn, error) {
	if _, err := io.WriteString(conn, secret+"\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("send the endpoint's secret: %w", err), conn.Close())
	}
	return conn, nil
}

// Context ends when the desktop does.
func (a *Attachment) Context() context.Context { return a.d.ctx }

// Release says that the client has gone. It may be called more than once.
func (a *Attachment) Release() {
	a.release.Do(func() {
		a.m.mu.Lock()
		defer a.m.mu.Unlock()
		a.d.clients--
		if a.ViewOnly {
			a.d.viewOnly--
		}
		if a.Endpoint == a.d.primary() {
			a.d.viewers--
		}
		a.m.tell(a.d.uid)
		if a.d.clients > 0 {
			return
		}
		a.d.left = time.Now()
		if a.d.state == Occupied {
			a.m.setState(a.d, Ready)
		}
	})
}
