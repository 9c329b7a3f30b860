package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sage/httpapi/limit"
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

// checkPublished fails where the settings say that Sage's port is published on
// loopback only, and the engine says something else.
func (c *Config) checkPublished(info runtime.Info) error {
	if !c.PublishedOnLoopback {
		return nil
	}
	if len(info.Published) == 0 {
		return errors.New("SAGE_PUBLISHED_ON_LOOPBACK is set, but the engine knows no published port of sage's container: " +
			"publish it as 127.0.0.1:4024:4024, or set SAGE_API_TOKEN instead")
	}
	for _, at := range info.Published {
		if !at.Addr().IsLoopback() && (c.APIToken == "" && !c.AllowAnonymous || c.APIToken != "" && len(c.APIToken) < minToken) {
			return fmt.Errorf("sage's port is published on %s, where others reach it: set a SAGE_API_TOKEN of at least %d characters, "+
				"or publish it on 127.0.0.1", at, minToken)
		}
	}
	return nil
}

// fenced is a listener for everybody but desktops: a person in one of them, or a
// page in its browser, must not find a Sage that trusts its network.
type fenced struct {
	net.Listener
	digest *limit.Digest
	// desktops are the addresses of their networks, but those in open; zones are the
	// interfaces through which they may also come by a link-local address.
	desktops []netip.Prefix
	open     []netip.Addr
	zones    []string
}

// fence keeps desktops from the listener. In a container, that is who is on the
// network that Sage has joined; open are the process itself and the engine, from
// whose address comes who uses a published port. On a host, it is who is on one of
// the engine's networks, where Sage asks for no token.
func (c *Config) fence(l net.Listener, info runtime.Info, joined *runtime.Network) (net.Listener, error) {
	f := fenced{Listener: l}
	f.digest = limit.NewDigest(fenceInterval, func(n int) {
		c.Logger.Warn("connections of a desktop, or of another container on the desktops' network, refused: see SAGE_NETWORK", "connections", n)
	})
	own, err := interfaces()
	switch {
	case err != nil:
		return l, err
	case joined != nil:
		f.open = []netip.Addr{joined.Gateway}
		for _, i := range own {
			if i.has(joined.Address) {
				f.shut(i)
				return f, nil
			}
		}
		return l, fmt.Errorf("no interface has sage's address %s on the network %s", joined.Address, joined.Name)
	case c.APIToken != "" || !c.beyondLoopback():
		return l, nil
	}
	if len(info.Subnets) == 0 && !info.Rootless {
		return l, errors.New("the engine does not tell the addresses of its networks, so desktops cannot be kept from a sage without a token: " +
			"set SAGE_API_TOKEN")
	}
	f.desktops = slices.Clone(info.Subnets)
	for _, i := range own {
		switch {
		case slices.ContainsFunc(i.prefixes, func(p netip.Prefix) bool { return f.refuses(netip.AddrPortFrom(p.Addr(), 0)) }):
			f.shut(i)
		case info.Rootless:
			// Its containers come from the host's own addresses.
			for _, p := range i.prefixes {
				if !p.Addr().IsLoopback() {
					f.desktops = append(f.desktops, netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
				}
			}
		}
	}
	return f, nil
}

// fenceInterval is how often refused connections are logged.
const fenceInterval = 10 * time.Second

// device is a network interface with its addresses.
type device struct {
	name     string
	prefixes []netip.Prefix
}

func (d device) has(addr netip.Addr) bool {
	return slices.ContainsFunc(d.prefixes, func(p netip.Prefix) bool { return p.Addr() == addr })
}

func interfaces() ([]device, error) {
	found, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var all []device
	for _, i := range found {
		addresses, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		d := device{name: i.Name}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				d.prefixes = append(d.prefixes, prefix)
			}
		}
		all = append(all, d)
	}
	return all, nil
}

// shut refuses who comes through an interface, but this process itself.
func (f *fenced) shut(d device) {
	f.zones = append(f.zones, d.name)
	for _, p := range d.prefixes {
		if !p.Addr().IsLinkLocalUnicast() {
			f.desktops = append(f.desktops, p.Masked())
		}
		f.open = append(f.open, p.Addr())
	}
}

// Accept implements net.Listener.
func (f fenced) Accept() (net.Conn, error) {
	for {
		conn, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !f.refuses(remote(conn)) {
			return conn, nil
		}
		_ = conn.Close()
		f.digest.Note()
	}
}

// Close implements net.Listener.
func (f fenced) Close() error {
	f.digest.Flush()
	return f.Listener.Close()
}

func (f fenced) refuses(from netip.AddrPort) bool {
	addr := from.Addr().Unmap()
	if slices.Contains(f.open, addr.WithZone("")) {
		return false
	}
	if addr.IsLinkLocalUnicast() && addr.Is6() {
		return slices.Contains(f.zones, addr.Zone())
	}
	return slices.ContainsFunc(f.desktops, func(p netip.Prefix) bool { return p.Contains(addr.WithZone("")) })
}

// remote is the address of the other side; the zero one where it is none of TCP.
func remote(conn net.Conn) netip.AddrPort {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}
