package podman

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"sage/runtime"
)

const (
	// opDial names Dial in errors.
	opDial = "dial"
	// directTimeout bounds the attempt at a container's own address when there is
	// a published port to fall back on: a firewall may drop packets without a word.
	directTimeout = time.Second
	// settleTime is how long a proxy behind a published port may take to find
	// that nothing listens in the container; 200 ms were seen.
	settleTime = 300 * time.Millisecond
)

// way is how a port of a container may be reached. Either address may be empty.
type way struct {
	direct, published string
	// pid is the container's first process; zero where it cannot be seen from
	// here.
	pid  int
	port uint16
}

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
	if !validID(id) {
		return nil, unknown(op, id)
	}
	w, err := call(ctx, r, op, string(id), func(ctx context.Context, l *link) (way, error) {
		return l.way(ctx, op, id, port)
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := w.dial(ctx)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, fault(ctx, opDial, string(id), err)
		case errors.Is(err, syscall.ECONNREFUSED):
			return nil, failure(opDial, string(id), runtime.ErrRefused, err)
		}
		return nil, r.unreached(ctx, id, err)
	}, nil
}

// unreached finds out why a container cannot be reached: the likeliest reason is that
// it has just ended.
func (r *Runtime) unreached(ctx context.Context, id runtime.ID, cause error) error {
	c, err := r.Inspect(ctx, id)
	switch {
	case err != nil:
		return failure(opDial, string(id), kindOf(opDial, err), cause)
	case c.State == runtime.StateRunning:
		return failure(opDial, string(id), runtime.ErrInternal, cause)
	}
	return failure(opDial, string(id), runtime.ErrConflict, cause)
}

// way looks a container up and finds how its port may be reached.
func (l *link) way(ctx context.Context, op string, id runtime.ID, port uint16) (way, error) {
	found, err := look(ctx, id)
	if err != nil {
		return way{}, err
	}
	c := inspected(found)
	if !c.State.Alive() {
		return way{}, failure(op, string(id), runtime.ErrConflict, fmt.Errorf("the container is %s", found.State.Status))
	}
	w := way{port: port}
	if l.seesProcesses {
		w.pid = found.State.Pid
	}
	own := l.info.Shared(networksOf(found.NetworkSettings))
	if !own.IsValid() && l.info.Capabilities.ContainerAddress {
		own = c.Address
	}
	if own.IsValid() {
		w.direct = net.JoinHostPort(own.String(), strconv.Itoa(int(port)))
	}
	for _, binding := range c.Ports {
		if binding.ContainerPort == port {
			w.published = net.JoinHostPort(l.hostOf(binding.HostIP), strconv.Itoa(int(binding.HostPort)))
			break
		}
	}
	if w.direct == "" && w.published == "" {
		return way{}, failure(op, string(id), runtime.ErrInvalid,
			fmt.Errorf("port %d is not published, and the container's address cannot be reached from here", port))
	}
	return w, nil
}

// hostOf is where a port published on ip is found: every address of an engine
// is the remote one's, or here the loopback.
func (l *link) hostOf(ip netip.Addr) string {
	switch {
	case !ip.IsUnspecified():
		return ip.String()
	case l.host.Scheme == "tcp":
		return l.host.Hostname()
	case ip.Is4():
		return "127.0.0.1"
	default:
		return "::1"
	}
}

// dial tries the ways in turn. That nothing listens is an answer: the other way
// leads to the same place.
func (w way) dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	if w.direct != "" && w.published == "" {
		return dialer.DialContext(ctx, "tcp", w.direct)
	}
	if w.direct != "" {
		bounded, cancel := context.WithTimeout(ctx, directTimeout)
		conn, err := dialer.DialContext(bounded, "tcp", w.direct)
		cancel()
		if err == nil || errors.Is(err, syscall.ECONNREFUSED) || ctx.Err() != nil {
			return conn, err
		}
	}
	// The proxy behind a published port takes the connection before it has
	// reached the container, and hangs up when nothing listens there.
	listening, known := listens(w.pid, w.port)
	if known && !listening {
		return nil, fmt.Errorf("nothing listens on port %d: %w", w.port, syscall.ECONNREFUSED)
	}
	conn, err := dialer.DialContext(ctx, "tcp", w.published)
	if err != nil || known {
		return conn, err
	}
	if err := settle(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// settle waits a moment whether the other side hangs up. Nothing is taken from
// the connection.
func settle(ctx context.Context, conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(settleTime)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := tcp.SetReadDeadline(deadline); err != nil {
		return err
	}
	var (
		n    int
		fail error
		one  [1]byte
	)
	err = raw.Read(func(fd uintptr) bool {
		n, _, fail = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		return !errors.Is(fail, syscall.EAGAIN) && !errors.Is(fail, syscall.EINTR)
	})
	if clear := tcp.SetReadDeadline(time.Time{}); clear != nil {
		return clear
	}
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil
	case err != nil:
		return err
	case fail == nil && n > 0:
		return nil
	default:
		return fmt.Errorf("the published port was closed at once: %w", syscall.ECONNREFUSED)
	}
}
