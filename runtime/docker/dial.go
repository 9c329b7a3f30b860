package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"

	"sage/runtime"
)

// opDial names Dial in errors.
const opDial = "dial"

// directTimeout bounds the attempt at a container's own address when there is a
// published port to fall back on: a firewall may drop packets without a word.
const directTimeout = time.Second

// Dial implements runtime.Runtime.
func (r *Runtime) Dial(ctx context.Context, id runtime.ID, port uint16) (net.Conn, error) {
	route, err := r.route(ctx, opDial, id, port)
	if err != nil {
		return nil, err
	}
	return route(ctx)
}

// Route implements runtime.Runtime.
func (r *Runtime) Route(ctx context.Context, id runtime.ID, port uint16) (runtime.Route, error) {
	return r.route(ctx, "route", id, port)
}

func (r *Runtime) route(ctx context.Context, op string, id runtime.ID, port uint16) (runtime.Route, error) {
	e, found, err := r.inspect(ctx, op, id)
	if err != nil {
		return nil, err
	}
	if s := state(found.State); !s.Alive() {
		return nil, failure(op, string(id), runtime.ErrConflict, fmt.Errorf("the container is %s", found.State.Status))
	}
	direct, published := e.ways(found, port)
	if direct == "" && published == "" {
		return nil, failure(op, string(id), runtime.ErrInvalid,
			fmt.Errorf("port %d is not published, and the container's address cannot be reached from here", port))
	}
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx, direct, published)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() == nil && errors.Is(err, syscall.ECONNREFUSED):
			return nil, failure(opDial, string(id), runtime.ErrRefused, err)
		}
		return nil, r.unreached(ctx, opDial, id, err)
	}, nil
}

// unreached finds out why a container that ran a moment ago cannot be reached:
// the likeliest reason is that it has ended.
func (r *Runtime) unreached(ctx context.Context, op string, id runtime.ID, cause error) error {
	if ctx.Err() != nil {
		return fault(ctx, op, string(id), cause)
	}
	_, found, err := r.inspect(ctx, op, id)
	if err != nil {
		return err
	}
	if state(found.State) == runtime.StateRunning {
		return failure(op, string(id), runtime.ErrInternal, cause)
	}
	return failure(op, string(id), runtime.ErrConflict, cause)
}

// ways are the addresses under which a port of a container may be reached: its
// own, and the published one. Either may be empty.
func (e *engine) ways(c container.InspectResponse, port uint16) (direct, published string) {
	own := e.info.Shared(networksOf(c))
	if !own.IsValid() && e.info.Capabilities.ContainerAddress {
		own = address(c)
	}
	if own.IsValid() {
		direct = net.JoinHostPort(own.String(), strconv.Itoa(int(port)))
	}
	if c.NetworkSettings == nil {
		return direct, ""
	}
	for _, binding := range bindings(c.NetworkSettings.Ports) {
		if binding.ContainerPort == port && binding.HostPort != 0 {
			return direct, net.JoinHostPort(e.hostOf(binding.HostIP), strconv.Itoa(int(binding.HostPort)))
		}
	}
	return direct, ""
}

// hostOf is where a port published on ip is found: every address of an engine
// is the remote one's, or here the loopback.
func (e *engine) hostOf(ip netip.Addr) string {
	switch {
	case !ip.IsUnspecified():
		return ip.String()
	case e.address != "":
		return e.address
	case ip.Is4():
		return "127.0.0.1"
	default:
		return "::1"
	}
}

// dial tries the ways in turn. That nothing listens is an answer: the other way
// leads to the same place.
func dial(ctx context.Context, direct, published string) (net.Conn, error) {
	var dialer net.Dialer
	if direct != "" && published == "" {
		return dialer.DialContext(ctx, "tcp", direct)
	}
	if direct != "" {
		bounded, cancel := context.WithTimeout(ctx, directTimeout)
		conn, err := dialer.DialContext(bounded, "tcp", direct)
		cancel()
		if err == nil || errors.Is(err, syscall.ECONNREFUSED) || ctx.Err() != nil {
			return conn, err
		}
	}
	conn, err := dialer.DialContext(ctx, "tcp", published)
	if err != nil {
		return nil, err
	}
	if err := settle(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// settle waits a moment for the engine's proxy behind a published port, which
// takes a connection before it has reached the container, and hangs up when
// nothing listens there.
func settle(conn net.Conn) error {
	const patience = 10 * time.Millisecond
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	if err := tcp.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	hungUp := false
	err = raw.Read(func(fd uintptr) bool {
		var first [1]byte
		n, _, err := syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
			return false
		}
		hungUp = err != nil || n == 0
		return true
	})
	if hungUp {
		return fmt.Errorf("the engine's proxy hung up: %w", syscall.ECONNREFUSED)
	}
	// That the time is up means that the connection stands.
	var timeout net.Error
	if err != nil && !(errors.As(err, &timeout) && timeout.Timeout()) {
		return err
	}
	return tcp.SetReadDeadline(time.Time{})
}
