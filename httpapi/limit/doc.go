// Package limit bounds what one client address, and all of them together, may
// take of a server: connections, things held at a time, events in a time.
//
// It promises that its own memory is bounded, whatever addresses are used, and
// that no method blocks. It must not know the API.
package limit

import "net/netip"

// Source returns the unit that limits count by: an IPv4 address, or the /64 that
// an IPv6 subscriber is given (RFC 6177), who may choose any address in it. The
// zero Addr has the zero Prefix.
func Source(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
