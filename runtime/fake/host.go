package fake

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"sage/runtime"
)

// HoldPort takes a host port on all addresses as a process of the host would
// that is no container, until release is called.
func (r *Runtime) HoldPort(port uint16) (release func()) {
	h, err := r.Host().Hold(netip.AddrPortFrom(netip.IPv4Unspecified(), port))
	if err != nil {
		// It is held already, so there is nothing to take or to release.
		return func() {}
	}
	return func() { h.Close() }
}

// Containers describes all containers, in the order in which they were made.
func (r *Runtime) Containers() []runtime.Container {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []runtime.Container
	for _, c := range r.sorted() {
		all = append(all, c.describe(true))
	}
	return all
}

// Ports are the host ports that containers hold, sorted.
func (r *Runtime) Ports() []uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ports []uint16
	for _, c := range r.containers {
		if c.runs() || c.reserved {
			for _, binding := range c.spec.Ports {
				ports = append(ports, binding.HostPort)
			}
		}
	}
	slices.Sort(ports)
	return ports
}

// Volumes are the names of all volumes, sorted.
func (r *Runtime) Volumes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name := range r.volumes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkPorts gives an error if a host port of the spec is held. The lock is held.
func (r *Runtime) checkPorts(spec runtime.Spec) error {
	for _, binding := range spec.Ports {
		addr := netip.AddrPortFrom(binding.HostIP, binding.HostPort)
		if who := r.holder(addr); who != "" {
			return fmt.Errorf("%v is held by %s", addr, who)
		}
	}
	return nil
}

// holder tells who holds an address of the host; empty if nobody does. The lock
// is held.
func (r *Runtime) holder(addr netip.AddrPort) string {
	for held := range r.held {
		if overlap(held, addr) {
			return "a process of the host"
		}
	}
	for _, c := range r.containers {
		if !c.runs() && !c.reserved {
			continue
		}
		for _, binding := range c.spec.Ports {
			if overlap(netip.AddrPortFrom(binding.HostIP, binding.HostPort), addr) {
				return "container " + c.spec.Name
			}
		}
	}
	return ""
}

// overlap says whether two addresses cannot be listened on at the same time.
func overlap(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() &&
		(a.Addr() == b.Addr() || a.Addr().IsUnspecified() || b.Addr().IsUnspecified())
}

// Host is the machine of the engine, on which ports are published.
func (r *Runtime) Host() Host { return Host{r: r} }

// Host is a machine in memory.
type Host struct{ r *Runtime }

// Dial connects to a published port or to a container's own address.
func (h Host) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	for _, c := range h.r.containers {
		if !c.runs() {
			continue
		}
		port := uint16(0)
		if c.address == addr.Addr() {
			port = addr.Port()
		}
		for _, binding := range c.spec.Ports {
			if overlap(netip.AddrPortFrom(binding.HostIP, binding.HostPort), addr) {
				port = binding.ContainerPort
			}
		}
		if port == 0 {
			continue
		}
		if conn := c.connect(port); conn != nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("dial %v: %w", addr, syscall.ECONNREFUSED)
}

// Hold takes a port as a process of the host would that is no container.
func (h Host) Hold(addr netip.AddrPort) (io.Closer, error) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	if who := h.r.holder(addr); who != "" {
		return nil, fmt.Errorf("listen %v: held by %s: %w", addr, who, syscall.EADDRINUSE)
	}
	h.r.held[addr] = struct{}{}
	return hold{r: h.r, addr: addr}, nil
}

// hold is a held port.
type hold struct {
	r    *Runtime
	addr netip.AddrPort
}

// Close lets go of the port.
func (h hold) Close() error {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	delete(h.r.held, h.addr)
	return nil
}
