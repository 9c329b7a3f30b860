//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"sage/bench/internal/gateway"
	"sage/bench/internal/proc"
	"sage/stream"
)

// The keys of the ways, as the flag -rows names them.
const (
	keyTCP             = "tcp"
	keyNginx           = "nginx"
	keySageRFB         = "sage-rfb"
	keySageUnderstood  = "sage-rfb-understood"
	keyWebsockify      = "websockify"
	keySageWebSocket   = "sage-websocket"
	keyNginxWebsockify = "nginx-websockify"
)

// way is one way from a viewer to the server.
type way struct {
	key, name string
	address   string          // What the viewer dials.
	path      string          // Of the WebSocket; empty where the viewer speaks plain TCP.
	between   []*proc.Process // All that runs between the viewer and the server.
	server    *proc.Process
}

// kind says how a way is built in front of a server.
type kind struct {
	key, name string
	// tuned tells that there are variants, see nginxBuffers.
	tuned bool
	build func(ctx context.Context, s *site, buffer int) (*way, error)
}

// kinds lists all ways, in the order of the table.
func kinds() []kind {
	return []kind{
		{keyTCP, "straight TCP", false, func(_ context.Context, s *site, _ int) (*way, error) {
			return &way{address: s.address}, nil
		}},
		{keyNginx, "nginx stream (TCP)", true, func(ctx context.Context, s *site, buffer int) (*way, error) {
			p, address, err := startNginx(ctx, s.dir, nginxStream, s.address, buffer)
			return &way{address: address, between: []*proc.Process{p}}, err
		}},
		{keySageRFB, "Sage rfb", false, func(ctx context.Context, s *site, _ int) (*way, error) {
			return sage(ctx, gateway.Endpoint{Protocol: stream.ProtocolRFB, Address: s.address})
		}},
		{keySageUnderstood, "Sage rfb, understood", false, func(ctx context.Context, s *site, _ int) (*way, error) {
			return sage(ctx, gateway.Endpoint{Protocol: stream.ProtocolRFB, Address: s.address, Understand: true})
		}},
		{keyWebsockify, "websockify", false, func(_ context.Context, s *site, _ int) (*way, error) {
			return &way{address: s.websockifyAt, path: "/websockify", between: []*proc.Process{s.websockify}}, nil
		}},
		{keySageWebSocket, "Sage websocket, websockify", false, func(ctx context.Context, s *site, _ int) (*way, error) {
			w, err := sage(ctx, gateway.Endpoint{
				Protocol: stream.ProtocolWebSocket, Address: s.websockifyAt, Path: "/websockify",
			})
			if err != nil {
				return nil, err
			}
			w.between = append(w.between, s.websockify)
			return w, nil
		}},
		{keyNginxWebsockify, "nginx, websockify", true, func(ctx context.Context, s *site, buffer int) (*way, error) {
			p, address, err := startNginx(ctx, s.dir, nginxHTTP, s.websockifyAt, buffer)
			return &way{address: address, path: "/websockify", between: []*proc.Process{p, s.websockify}}, err
		}},
	}
}

func sage(ctx context.Context, endpoint gateway.Endpoint) (*way, error) {
	g, err := gateway.Start(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return &way{address: g.Address, path: gateway.Path, between: []*proc.Process{g.Process}}, nil
}

// chosen gives the kinds that a list of keys names, and all for an empty one.
func chosen(list string) ([]kind, error) {
	all := kinds()
	if list == "" {
		return all, nil
	}
	wanted := strings.Split(list, ",")
	var some []kind
	for _, k := range all {
		if i := slices.Index(wanted, k.key); i >= 0 {
			some = append(some, k)
			wanted = slices.Delete(wanted, i, i+1)
		}
	}
	if len(wanted) > 0 {
		return nil, fmt.Errorf("no row is called %q", wanted)
	}
	return some, nil
}

// site is a server and what stands in front of it. It ends with its context.
type site struct {
	server       *proc.Process
	address      string // Of the server.
	dir          string // For configurations.
	websockify   *proc.Process
	websockifyAt string
	tuned        map[string]int // The buffer of each way that has variants, once it is known.
}

// newSite makes a site in front of the server that listens at address.
func newSite(ctx context.Context, server *proc.Process, address string) (*site, error) {
	dir, err := os.MkdirTemp("", "bench-stream-")
	if err != nil {
		return nil, err
	}
	s := &site{server: server, address: address, dir: dir, tuned: make(map[string]int)}
	port, err := proc.FreePort()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.websockifyAt = fmt.Sprintf("127.0.0.1:%d", port)
	if s.websockify, err = proc.StartQuiet(ctx, "websockify", s.websockifyAt, address); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.websockify.Listens(ctx, s.websockifyAt); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close removes what the site has written.
func (s *site) Close() error { return os.RemoveAll(s.dir) }

// way builds one.
func (s *site) way(ctx context.Context, k kind, buffer int) (*way, error) {
	w, err := k.build(ctx, s, buffer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	w.key, w.name, w.server = k.key, k.name, s.server
	return w, nil
}
