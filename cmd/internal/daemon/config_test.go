package daemon

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(c *Config)
		want   string // empty: it is right
	}{
		{"right", func(*Config) {}, ""},
		{"listen without port", func(c *Config) { c.Listen = "127.0.0.1" }, "SAGE_LISTEN"},
		{"empty listen", func(c *Config) { c.Listen = "" }, "SAGE_LISTEN"},
		{"all addresses", func(c *Config) { c.Listen = ":4024" }, "SAGE_API_TOKEN"},
		{"all addresses, written out", func(c *Config) { c.Listen = "0.0.0.0:4024" }, "SAGE_API_TOKEN"},
		{"all addresses of IPv6", func(c *Config) { c.Listen = "[::]:4024" }, "SAGE_API_TOKEN"},
		{"an address of the network", func(c *Config) { c.Listen = "192.0.2.1:4024" }, "--allow-anonymous"},
		{"a name", func(c *Config) { c.Listen = "sage.example:4024" }, "SAGE_API_TOKEN"},
		{"a name that begins like loopback", func(c *Config) { c.Listen = "localhost.example:4024" }, "SAGE_API_TOKEN"},
		{"all addresses with a token", func(c *Config) { c.Listen, c.APIToken = ":4024", strings.Repeat("a", 20) }, ""},
		{"all addresses with a short token", func(c *Config) { c.Listen, c.APIToken = ":4024", strings.Repeat("a", 19) }, "at least 20"},
		{"an address of the network with a short token", func(c *Config) { c.Listen, c.APIToken, c.AllowAnonymous = "192.0.2.1:4024", "a", true }, "at least 20"},
		{"loopback with a short token", func(c *Config) { c.APIToken = "a" }, ""},
		{"all addresses, published on loopback", func(c *Config) { c.Listen, c.PublishedOnLoopback = ":4024", true }, ""},
		{"pages of every origin", func(c *Config) { c.AllowedOrigins = []string{"https://a", "*"} }, "SAGE_ALLOWED_ORIGINS"},
		{"pages of every origin with a token", func(c *Config) { c.AllowedOrigins, c.APIToken = []string{"*"}, "secret" }, ""},
		{"trusted proxies", func(c *Config) { c.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"} }, ""},
		{"a trusted proxy's name", func(c *Config) { c.TrustedProxies = []string{"proxy.example"} }, "SAGE_TRUSTED_PROXIES"},
		{"a negative number of connections", func(c *Config) { c.ClientConnections = -1 }, "SAGE_CLIENT_CONNECTIONS"},
		{"all addresses, on purpose", func(c *Config) { c.Listen, c.AllowAnonymous = ":4024", true }, ""},
		{"localhost", func(c *Config) { c.Listen = "LocalHost:4024" }, ""},
		{"loopback of IPv6", func(c *Config) { c.Listen = "[::1]:4024" }, ""},
		{"another loopback address", func(c *Config) { c.Listen = "127.1.2.3:4024" }, ""},
		{"port range is empty", func(c *Config) { c.PortEnd = c.PortStart }, "is empty"},
		{"port range is reversed", func(c *Config) { c.PortStart, c.PortEnd = c.PortEnd, c.PortStart }, "is reversed"},
		{"port zero", func(c *Config) { c.PortStart = 0 }, "PORT_RANGE_START"},
		{"negative port", func(c *Config) { c.PortStart, c.PortEnd = -5, -3 }, "PORT_RANGE_START"},
		{"port too large", func(c *Config) { c.PortEnd = 65537 }, "PORT_RANGE_END"},
		{"whole range", func(c *Config) { c.PortStart, c.PortEnd = 1, 65536 }, ""},
		{"no base name", func(c *Config) { c.BaseName = "" }, "CONTAINER_BASE_NAME"},
		{"base name of a path", func(c *Config) { c.BaseName = "a/b" }, "CONTAINER_BASE_NAME"},
		{"base name begins with a hyphen", func(c *Config) { c.BaseName = "-a" }, "CONTAINER_BASE_NAME"},
		{"no instance", func(c *Config) { c.Instance = "" }, "SAGE_INSTANCE"},
		{"long instance", func(c *Config) { c.Instance = strings.Repeat("a", 64) }, "SAGE_INSTANCE"},
		{"longest instance", func(c *Config) { c.Instance = strings.Repeat("a", 63) }, ""},
		{"instance with a space", func(c *Config) { c.Instance = "a b" }, "SAGE_INSTANCE"},
		{"no start time-out", func(c *Config) { c.StartTimeout = 0 }, "SAGE_START_TIMEOUT"},
		{"negative image time-out", func(c *Config) { c.ImageTimeout = -time.Second }, "SAGE_IMAGE_TIMEOUT"},
		{"no grace", func(c *Config) { c.FirstClientGrace = 0 }, "SAGE_FIRST_CLIENT_GRACE"},
		{"no idle time-out", func(c *Config) { c.IdleTimeout = 0 }, "CONTAINER_NO_CLIENT_TIMEOUT"},
		{"no stop grace", func(c *Config) { c.StopGrace = 0 }, "SAGE_STOP_GRACE"},
		{"negative number of desktops", func(c *Config) { c.MaxDesktops = -1 }, "SAGE_MAX_DESKTOPS"},
		{"no starts", func(c *Config) { c.StartsAtOnce = 0 }, "SAGE_STARTS_AT_ONCE"},
		{"negative lifetime", func(c *Config) { c.MaxLifetime = -1 }, "SAGE_MAX_LIFETIME"},
		{"negative drain", func(c *Config) { c.DrainTimeout = -1 }, "SAGE_DRAIN_TIMEOUT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := config(t)
			test.change(&c)
			err := c.Validate()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want something on %s", err, test.want)
			}
		})
	}
}

func TestValidateNamesEveryProblem(t *testing.T) {
	c := config(t)
	c.Listen, c.PortStart, c.BaseName, c.Instance, c.MaxLifetime = ":1", 13000, "", "", -1
	c.StartTimeout, c.ImageTimeout, c.FirstClientGrace, c.IdleTimeout, c.StopGrace = 0, 0, 0, 0, 0
	err := c.Validate()
	for _, want := range []string{
		"SAGE_API_TOKEN", "reversed", "CONTAINER_BASE_NAME", "SAGE_INSTANCE", "SAGE_MAX_LIFETIME", "SAGE_START_TIMEOUT",
		"SAGE_IMAGE_TIMEOUT", "SAGE_FIRST_CLIENT_GRACE", "CONTAINER_NO_CLIENT_TIMEOUT", "SAGE_STOP_GRACE",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	tests := []struct {
		name, listen, token string
		given, want         []string
	}{
		{"loopback", "127.0.0.1:4024", "", nil, []string{"localhost"}},
		{"loopback and a name", "localhost:4024", "", []string{"sage.example"}, []string{"localhost", "sage.example"}},
		{"loopback with a token", "127.0.0.1:4024", "secret", nil, nil},
		{"open", ":4024", "secret", nil, nil},
		{"open without a token", ":4024", "", nil, []string{"localhost"}},
		{"open without a token, and a name", "172.17.0.1:4024", "", []string{"sage.example"}, []string{"localhost", "sage.example"}},
		{"open and a name", ":4024", "secret", []string{"sage.example"}, []string{"sage.example"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Listen: test.listen, APIToken: test.token, AllowedHosts: test.given}
			if got := c.allowedHosts(); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
