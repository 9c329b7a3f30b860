package docker

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// TestSubnets: the ranges of the engine's networks are part of what it says of
// itself.
func TestSubnets(t *testing.T) {
	info, err := answered(t, nil).Ping(t.Context())
	if err != nil || !slices.Equal(info.Subnets, []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}) {
		t.Errorf("got %v, %v", info.Subnets, err)
	}
}

// TestPublishedOf: a port without an address is published on every address.
func TestPublishedOf(t *testing.T) {
	c := container.InspectResponse{NetworkSettings: &container.NetworkSettings{}}
	c.NetworkSettings.Ports = nat.PortMap{
		"4024/tcp": {{HostIP: "127.0.0.1", HostPort: "4024"}, {HostIP: "::1", HostPort: "4024"}, {HostPort: "5024"}},
		"80/tcp":   nil,
	}
	want := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:4024"), netip.MustParseAddrPort("[::1]:4024"), netip.MustParseAddrPort("0.0.0.0:5024")}
	if got := publishedOf(c); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
