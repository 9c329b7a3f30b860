package daemon

import (
	"io"
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
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	everybody := map[string]bool{"127.0.0.1": true, "127.0.0.2": true, "127.0.0.3": true}
	for _, test := range []struct {
		name    string
		change  func(c *Config)
		info    runtime.Info
		joined  *runtime.Network
		welcome map[string]bool
	}{
		{
			"in a container", nil, runtime.Info{},
			&runtime.Network{Name: "desktops", Address: netip.MustParseAddr("127.0.0.1"), Gateway: netip.MustParseAddr("127.0.0.2")},
			map[string]bool{"127.0.0.1": true, "127.0.0.2": true, "127.0.0.3": false},
		},
		{
			"on a host without a token", func(c *Config) { c.Listen, c.AllowAnonymous = ":4024", true }, runtime.Info{Subnets: loopback}, nil,
			map[string]bool{"127.0.0.1": true, "127.0.0.2": false, "127.0.0.3": false},
		},
		{
			"on a host with a token", func(c *Config) { c.Listen, c.APIToken = ":4024", "secret" }, runtime.Info{Subnets: loopback}, nil, everybody,
		},
		{"on a host's loopback", nil, runtime.Info{Subnets: loopback}, nil, everybody},
		{"on a host, another network", func(c *Config) { c.Listen, c.AllowAnonymous = ":4024", true }, runtime.Info{
			Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
		}, nil, everybody},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(t)
			if test.change != nil {
				test.change(&c)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.fence(l, test.info, test.joined)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			go greet(f)
			for from, welcome := range test.welcome {
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
		})
	}
}

// greet greets whoever is let in.
func greet(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "hello")
		_ = conn.Close()
	}
}

// TestFenceOfLinkLocalAddresses: a desktop's address on the bridge that no subnet
// has is refused by the interface that it came through.
func TestFenceOfLinkLocalAddresses(t *testing.T) {
	f := fenced{zones: []string{"br-desktops"}, open: []netip.Addr{netip.MustParseAddr("fe80::1")}}
	for from, refused := range map[string]bool{
		"[fe80::2%br-desktops]:1": true, "[fe80::1%br-desktops]:1": false, "[fe80::2%eth0]:1": false, "[2001:db8::1]:1": false,
	} {
		if got := f.refuses(netip.MustParseAddrPort(from)); got != refused {
			t.Errorf("%s: refused is %v", from, got)
		}
	}
}

// TestFenceOfDesktopsWithoutRoot: an engine without root has its containers come
// from the host's own addresses.
func TestFenceOfDesktopsWithoutRoot(t *testing.T) {
	own, err := interfaces()
	if err != nil {
		t.Fatal(err)
	}
	c := config(t)
	c.Listen, c.AllowAnonymous = ":4024", true
	l, err := c.fence(nil, runtime.Info{Rootless: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range own {
		for _, p := range i.prefixes {
			if got := l.(fenced).refuses(netip.AddrPortFrom(p.Addr(), 1)); got == p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
				t.Errorf("%s: refused is %v", p, got)
			}
		}
	}
	if _, err := c.fence(nil, runtime.Info{}, nil); err == nil || !strings.Contains(err.Error(), "SAGE_API_TOKEN") {
		t.Errorf("an engine that tells no subnets: %v", err)
	}
}

// TestPublished: the setting that spares the token is checked against what the
// engine says.
func TestPublished(t *testing.T) {
	at := func(texts ...string) (all []netip.AddrPort) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddrPort(text))
		}
		return all
	}
	long := strings.Repeat("a", 20)
	for _, test := range []struct {
		name      string
		change    func(c *Config)
		published []netip.AddrPort
		want      string
	}{
		{"loopback", nil, at("127.0.0.1:4024", "[::1]:4024"), ""},
		{"every address", nil, at("0.0.0.0:4024"), "published on 0.0.0.0:4024"},
		{"every address of IPv6", nil, at("127.0.0.1:4024", "[::]:4024"), "published on [::]:4024"},
		{"the bridge", nil, at("172.17.0.1:32470"), "SAGE_API_TOKEN"},
		{"every address with a token", func(c *Config) { c.APIToken = long }, at("0.0.0.0:4024"), ""},
		{"every address with a short token", func(c *Config) { c.APIToken = "short" }, at("0.0.0.0:4024"), "at least 20"},
		{"loopback with a short token", func(c *Config) { c.APIToken = "short" }, at("127.0.0.1:4024"), ""},
		{"every address on purpose", func(c *Config) { c.AllowAnonymous = true }, at("0.0.0.0:4024"), ""},
		{"nowhere, or no container of the engine", nil, nil, "knows no published port"},
		{"not said", func(c *Config) { c.PublishedOnLoopback, c.APIToken = false, long }, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(t)
			c.Listen, c.PublishedOnLoopback = "0.0.0.0:4024", true
			if test.change != nil {
				test.change(&c)
			}
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			err := c.checkPublished(runtime.Info{Published: test.published})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want something on %q", err, test.want)
			}
		})
	}
}
