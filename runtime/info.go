package runtime

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Info is what an engine says of itself.
type Info struct {
	// Backend is the backend's name: "docker", "podman" or "fake".
	Backend string
	// Host is the address of the engine's API, for example
	// "unix:///var/run/docker.sock".
	Host string
	// Version is the engine's version, APIVersion that of the API in use.
	Version, APIVersion string
	// Rootless says that the engine runs without root.
	Rootless bool
	// CgroupVersion is 1 or 2, or 0 where the engine does not tell.
	CgroupVersion int
	Capabilities  Capabilities
	// Networks are the engine's networks that the asking process is on, because it
	// runs in one of the engine's containers: those that people have made, by name,
	// then the engine's own. A container on one of them (see Spec.Network) can be
	// dialled without a published port. There are none for a process outside of
	// containers, in another engine's, or on the host's network.
	Networks []Network
	// Published are the addresses of the engine's host at which ports of the asking
	// process's container are published. There are none where Networks has none.
	Published []netip.AddrPort
	// Subnets are the address ranges of the engine's networks, from which containers
	// reach this host. There are none on an engine without root, whose containers come
	// from the host's own addresses, and where the engine does not tell: a warning says
	// so then.
	Subnets []netip.Prefix
	// Storage is the directory on the engine's host below which it keeps images and
	// containers; empty where the engine does not tell.
	Storage string
	// Warnings are what the engine or the backend finds wrong with this host, in
	// plain words.
	Warnings []string
}

// Capabilities are what this engine on this host can do. They are declared by
// the backend after asking the engine, and the conformance suite proves them.
type Capabilities struct {
	// CPULimit, MemoryLimit and PIDsLimit say whether that limit is honoured.
	CPULimit, MemoryLimit, PIDsLimit bool
	// OOMReport says that Container.OOMKilled tells when the memory limit ended a
	// container.
	OOMReport bool
	// Stats says that Stats tells what a container uses.
	Stats bool
	// ContainerAddress says that a container's own address can be reached from
	// the process that asks, so that Dial needs no published port.
	ContainerAddress bool
	// PullProgress says that EnsureImage reports bytes while it pulls.
	PullProgress bool
}

// Network is a network of the engine as the asking process sees it.
type Network struct {
	Name string
	// Address is the process's own, Gateway the engine's; who comes through a
	// published port comes from there on some engines. It may be invalid.
	Address, Gateway netip.Addr
}

// ParseNetwork makes a Network of what an engine says of one; false where it
// says no address. An internal network may have no gateway.
func ParseNetwork(name, address, gateway string) (Network, bool) {
	own, err := netip.ParseAddr(address)
	if err != nil {
		return Network{}, false
	}
	n := Network{Name: name, Address: own}
	n.Gateway, _ = netip.ParseAddr(gateway)
	return n, true
}

// ParsePublished makes the address of a published port of what an engine says;
// false for what is none. Engines leave the address empty for every address.
func ParsePublished(address, port string) (netip.AddrPort, bool) {
	if address == "" {
		address = "0.0.0.0"
	}
	published, err := netip.ParseAddrPort(net.JoinHostPort(address, port))
	return published, err == nil
}

// WarnSubnets returns the warning for an engine that does not tell its Subnets.
func WarnSubnets(err error) string {
	return fmt.Sprintf("the address ranges of the engine's networks are not known: %v", err)
}

// Joins tells whether this process is on the network of that name.
func (i Info) Joins(name string) bool {
	return slices.ContainsFunc(i.Networks, func(n Network) bool { return n.Name == name })
}

// Shared is a container's address on a network that this process is on, too;
// theirs are the container's. It is invalid where there is none.
func (i Info) Shared(theirs []Network) netip.Addr {
	for _, mine := range i.Networks {
		for _, n := range theirs {
			if n.Name == mine.Name {
				return n.Address
			}
		}
	}
	return netip.Addr{}
}
