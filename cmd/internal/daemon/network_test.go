package daemon

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"sage/runtime"
)

func TestDesktopNetwork(t *testing.T) {
	first, second := runtime.Network{Name: "a"}, runtime.Network{Name: "desktops"}
	tests := []struct {
		name, configured string
		networks         []runtime.Network
		want             string
		joined           bool
	}{
		{"on a host", "", nil, "", false},
		{"on a host, with a network", "desktops", nil, "desktops", false},
		{"in a container", "", []runtime.Network{first, second}, "a", true},
		{"in a container, with a network", "desktops", []runtime.Network{first, second}, "desktops", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Network: test.configured}
			name, joined, err := c.desktopNetwork(runtime.Info{Networks: test.networks})
			if err != nil || name != test.want || (joined != nil) != test.joined || joined != nil && joined.Name != name {
				t.Errorf("got %q, %v, %v", name, joined, err)
			}
			if ip := publishIP(joined); ip.IsValid() == test.joined {
				t.Errorf("ports are published on %v", ip)
			}
		})
	}
}

func TestDesktopNetworkOutOfReach(t *testing.T) {
	c := Config{Network: "elsewhere"}
	_, _, err := c.desktopNetwork(runtime.Info{Networks: []runtime.Network{{Name: "a"}, {Name: "desktops"}}})
	if err == nil || !strings.Contains(err.Error(), "choose one of a, desktops (SAGE_NETWORK)") {
		t.Error(err)
	}
}

// TestFence takes loopback for the desktops' network: the other addresses of
// 127.0.0.0/8 are those of desktops.
func TestFence(t *testing.T) {
	own := netip.MustParseAddr("127.0.0.1")
	engine := netip.MustParseAddr("127.0.0.2")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := fence(l, &runtime.Network{Name: "desktops", Address: own, Gateway: engine}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := f.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello")
			_ = conn.Close()
		}
	}()
	for from, welcome := range map[string]bool{"127.0.0.1": true, "127.0.0.2": true, "127.0.0.3": false} {
		dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
		conn, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(conn)
		_ = conn.Close()
		if welcome != (string(said) == "hello") {
			t.Errorf("from %s: read %q, %v", from, said, err)
		}
	}
	same, err := fence(l, nil, nil)
	if err != nil || same != l {
		t.Error(errors.New("without a network there is no fence"), err)
	}
}
