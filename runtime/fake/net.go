package fake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"sage/runtime"
)

// backlog is how many connections wait for being accepted.
const backlog = 128

// listener is a listening port of a container.
type listener struct {
	container *container
	addr      net.TCPAddr
	queue     chan *tracked
	once      sync.Once
	done      chan struct{}
}

var _ net.Listener = (*listener)(nil)

// listen opens a port of the container.
func (c *container) listen(port uint16) (net.Listener, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch _, taken := c.listeners[port]; {
	case c.gone:
		return nil, net.ErrClosed
	case port == 0:
		return nil, fmt.Errorf("listen: port 0: %w", syscall.EINVAL)
	case taken:
		return nil, fmt.Errorf("listen: port %d: %w", port, syscall.EADDRINUSE)
	}
	l := &listener{
		container: c,
		addr:      net.TCPAddr{IP: c.address.AsSlice(), Port: int(port)},
		queue:     make(chan *tracked, backlog),
		done:      make(chan struct{}),
	}
	c.listeners[port] = l
	return l, nil
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.queue:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return &l.addr }

// Close implements net.Listener.
func (l *listener) Close() error {
	c := l.container
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listeners[uint16(l.addr.Port)] == l {
		delete(c.listeners, uint16(l.addr.Port))
	}
	l.close()
	return nil
}

// close refuses whoever waits in the queue. The container's lock is held, so
// nobody is put into the queue meanwhile.
func (l *listener) close() {
	l.once.Do(func() {
		close(l.done)
		for {
			select {
			case conn := <-l.queue:
				delete(l.container.conns, conn)
				conn.Conn.Close()
			default:
				return
			}
		}
	})
}

// connect opens a connection to a port of the container; nil if nothing listens
// there or nobody accepts.
func (c *container) connect(port uint16) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, there := c.listeners[port]
	if !there {
		return nil
	}
	client, far := net.Pipe()
	near := &pipe{Conn: client}
	server := &tracked{Conn: &pipe{Conn: far}, container: c}
	select {
	case l.queue <- server:
		c.conns[server] = struct{}{}
		return near
	default:
		near.Close()
		far.Close()
		return nil
	}
}

// tracked is the container's end of a connection; it ends with the container at
// the latest.
type tracked struct {
	net.Conn
	container *container
}

// Close implements net.Conn.
func (t *tracked) Close() error {
	t.container.mu.Lock()
	delete(t.container.conns, t)
	t.container.mu.Unlock()
	return t.Conn.Close()
}

// Dial implements runtime.Runtime. The connection is a pipe without a buffer: a
// write waits for the reader.
func (r *Runtime) Dial(ctx context.Context, id runtime.ID, port uint16) (net.Conn, error) {
	if err := r.enter(ctx, OpDial, string(id)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.reach(OpDial, id, port)
	if err != nil {
		return nil, err
	}
	return connected(c, port)
}

// Route implements runtime.Runtime. What is dialled by it counts as OpDial.
func (r *Runtime) Route(ctx context.Context, id runtime.ID, port uint16) (runtime.Route, error) {
	if err := r.enter(ctx, OpRoute, string(id)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.reach(OpRoute, id, port)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		if err := r.enter(ctx, OpDial, string(id)); err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return connected(c, port) // One that has ended refuses.
	}, nil
}

// reach finds a container whose port can be dialled. The lock is held.
func (r *Runtime) reach(op string, id runtime.ID, port uint16) (*container, error) {
	c, there := r.containers[id]
	switch {
	case !there:
		return nil, fail(op, string(id), runtime.ErrNotFound, nil)
	case !c.runs():
		return nil, fail(op, string(id), runtime.ErrConflict, errors.New("it does not run"))
	case !r.options.Capabilities.ContainerAddress && !c.publishes(port):
		return nil, fail(op, string(id), runtime.ErrInvalid, fmt.Errorf("port %d is not published", port))
	}
	return c, nil
}

// connected connects to a port of a container.
func connected(c *container, port uint16) (net.Conn, error) {
	conn := c.connect(port)
	if conn == nil {
		return nil, fail(OpDial, string(c.id), runtime.ErrRefused, fmt.Errorf("port %d", port))
	}
	return conn, nil
}

func (c *container) publishes(port uint16) bool {
	for _, binding := range c.spec.Ports {
		if binding.ContainerPort == port {
			return true
		}
	}
	return false
}
