package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"sage/runtime"
)

// desktopNetwork is the engine's network for desktops, and how this process is on
// it; nil where it is on none, so that desktops are reached through published
// ports. Out of a container those of the host's loopback are not reached.
func (c *Config) desktopNetwork(info runtime.Info) (name string, joined *runtime.Network, err error) {
	var names []string
	for i, n := range info.Networks {
		if c.Network == "" || c.Network == n.Name {
			return n.Name, &info.Networks[i], nil
		}
		names = append(names, n.Name)
	}
	if len(names) > 0 {
		return "", nil, fmt.Errorf("network %s is for desktops, but sage's own container is not on it and would not reach them: "+
			"connect it, or choose one of %s (SAGE_NETWORK)", c.Network, strings.Join(names, ", "))
	}
	return c.Network, nil, nil
}

// publishIP is where ports of desktops are published: nowhere when this process
// is on their network.
func publishIP(joined *runtime.Network) netip.Addr {
	if joined != nil {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// fenced is a listener for everybody but desktops: a person in one of them, or a
// page in its browser, must not find a Sage that trusts its network.
type fenced struct {
	net.Listener
	log *slog.Logger
	// desktops are the addresses of their network, but those in open.
	desktops []netip.Prefix
	open     []netip.Addr
}

// fence keeps the desktops of a network that this process has joined from the
// listener. Open are the process itself and the engine, from whose address comes
// who uses a published port.
func fence(l net.Listener, joined *runtime.Network, log *slog.Logger) (net.Listener, error) {
	if joined == nil {
		return l, nil
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return l, err
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			return l, err
		}
		f := fenced{Listener: l, log: log, open: []netip.Addr{joined.Gateway}}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				f.desktops = append(f.desktops, prefix.Masked())
				f.open = append(f.open, prefix.Addr())
			}
		}
		if slices.Contains(f.open, joined.Address) {
			return f, nil
		}
	}
	return l, fmt.Errorf("no interface has sage's address %s on the network %s", joined.Address, joined.Name)
}

// Accept implements net.Listener.
func (f fenced) Accept() (net.Conn, error) {
	for {
		conn, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if from := remote(conn); !f.refuses(from) {
			return conn, nil
		} else if err := conn.Close(); err == nil {
			f.log.Warn("a desktop, or another container on the desktops' network, may not use this sage: see SAGE_NETWORK", "from", from)
		}
	}
}

func (f fenced) refuses(from netip.Addr) bool {
	return !slices.Contains(f.open, from) && slices.ContainsFunc(f.desktops, func(p netip.Prefix) bool { return p.Contains(from) })
}

// remote is the address of the other side, in the form that prefixes have.
func remote(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
