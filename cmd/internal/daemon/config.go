package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"sage/runtime"
)

// Config is everything that a daemon can be told. Its fields are named like the
// program's flags, which also hold the defaults.
type Config struct {
	// Version is the program's own.
	Version string
	Logger  *slog.Logger

	Engine Engine

	// Listen is "host:port"; port 0 means any free one.
	Listen string
	// Listener is served instead where it is not nil. The daemon closes it.
	Listener net.Listener
	// Catalog is the path of the catalog file.
	Catalog string
	// DataDir is where settings are kept; one daemon at a time uses it.
	DataDir string

	// APIToken is the bearer token of the API; empty for none, which needs
	// AllowAnonymous where Listen is not a loopback address.
	APIToken                     string
	AllowAnonymous               bool
	AllowedOrigins, AllowedHosts []string
	// PublishedOnLoopback says that Listen is an address in a container of the engine
	// whose ports are published on the host's loopback only: no token is needed then.
	// New fails where that is not so.
	PublishedOnLoopback bool
	// TrustedProxies are addresses ("192.0.2.1") or ranges ("192.0.2.0/24") of reverse
	// proxies whose word on the client counts.
	TrustedProxies []string
	// ClientConnections bounds the connections and the streams of one client address
	// (of IPv6, one /64); zero means no limit. Loopback and TrustedProxies are exempt.
	ClientConnections int

	// BaseName begins the names of containers and volumes, Instance tells this
	// daemon's from those of others on the same engine.
	BaseName, Instance string
	// Network is the engine's network for desktops. Empty means one that this
	// process is on in a container of the engine, elsewhere the engine's default.
	Network string
	// PortStart (inclusive) and PortEnd (exclusive) are the host ports for
	// desktops.
	PortStart, PortEnd int

	// MaxDesktops is how many there may be, zero for any number; StartsAtOnce how
	// many may come up at the same time.
	MaxDesktops, StartsAtOnce int

	StartTimeout, ImageTimeout, FirstClientGrace time.Duration
	IdleTimeout, MaxLifetime, StopGrace          time.Duration
	// DrainTimeout is how long a daemon that goes down waits for starts, requests
	// and streams; zero is not at all. StopDesktops lets it stop every desktop then.
	DrainTimeout time.Duration
	StopDesktops bool
	// BuildArgs replace build arguments of the catalog's.
	BuildArgs map[string]string
}

// Validate names everything that is wrong with the settings.
func (c *Config) Validate() error {
	var problems *multierror.Error
	refuse := func(format string, args ...any) { problems = multierror.Append(problems, fmt.Errorf(format, args...)) }

	if err := c.validateListen(); err != nil {
		problems = multierror.Append(problems, err)
	}
	switch {
	case c.PortStart < 1 || c.PortEnd > 65536:
		refuse("port range [%d, %d): PORT_RANGE_START is at least 1 and PORT_RANGE_END at most 65536", c.PortStart, c.PortEnd)
	case c.PortStart == c.PortEnd:
		refuse("port range [%d, %d) is empty: PORT_RANGE_END is not in the range, set it higher", c.PortStart, c.PortEnd)
	case c.PortStart > c.PortEnd:
		refuse("port range [%d, %d) is reversed: PORT_RANGE_START must be below PORT_RANGE_END", c.PortStart, c.PortEnd)
	}
	if !runtime.ValidName(c.BaseName) {
		refuse("container base name %q: begin with a letter or digit, then letters, digits, '-', '_' and '.' (CONTAINER_BASE_NAME)", c.BaseName)
	}
	if len(c.Instance) > 63 || !runtime.ValidName(c.Instance) {
		refuse("instance %q: use 1 to 63 letters, digits, '-', '_' and '.' (SAGE_INSTANCE)", c.Instance)
	}
	if c.Network != "" && !runtime.ValidName(c.Network) {
		refuse("network %q: name one of the engine's networks (SAGE_NETWORK)", c.Network)
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{
		{"SAGE_START_TIMEOUT", c.StartTimeout}, {"SAGE_IMAGE_TIMEOUT", c.ImageTimeout},
		{"SAGE_FIRST_CLIENT_GRACE", c.FirstClientGrace}, {"CONTAINER_NO_CLIENT_TIMEOUT", c.IdleTimeout},
		{"SAGE_STOP_GRACE", c.StopGrace},
	} {
		if t.value <= 0 {
			refuse("%s is %s: it must be more than nothing", t.name, t.value)
		}
	}
	if _, err := parseProxies(c.TrustedProxies); err != nil {
		problems = multierror.Append(problems, err)
	}
	if c.ClientConnections < 0 {
		refuse("SAGE_CLIENT_CONNECTIONS is %d: use 0 for no limit", c.ClientConnections)
	}
	if slices.Contains(c.AllowedOrigins, "*") && c.APIToken == "" {
		refuse("SAGE_ALLOWED_ORIGINS is \"*\" and there is no token: every page that somebody opens could start and stop desktops: " +
			"name the origins, or set SAGE_API_TOKEN")
	}
	if c.MaxDesktops < 0 {
		refuse("SAGE_MAX_DESKTOPS is %d: use 0 for no limit", c.MaxDesktops)
	}
	if c.StartsAtOnce < 1 {
		refuse("SAGE_STARTS_AT_ONCE is %d: at least 1 must be able to start", c.StartsAtOnce)
	}
	if c.MaxLifetime < 0 {
		refuse("SAGE_MAX_LIFETIME is %s: use 0 for no limit", c.MaxLifetime)
	}
	if c.DrainTimeout < 0 {
		refuse("SAGE_DRAIN_TIMEOUT is %s: use 0 for no waiting", c.DrainTimeout)
	}
	return problems.ErrorOrNil()
}

func (c *Config) validateListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen address %q: use host:port, for example 127.0.0.1:4024 (SAGE_LISTEN)", c.Listen)
	}
	if loopback(host) {
		return nil
	}
	switch {
	case c.APIToken == "" && !c.AllowAnonymous && !c.PublishedOnLoopback:
		return fmt.Errorf("listening on %s lets everybody who reaches it start desktops: set SAGE_API_TOKEN, or say --allow-anonymous", c.Listen)
	case c.APIToken != "" && len(c.APIToken) < minToken && !c.PublishedOnLoopback:
		return fmt.Errorf("the token has %d characters and %s can be reached from elsewhere: a token that nobody guesses has at least %d, "+
			"for example of openssl rand -hex 32 (SAGE_API_TOKEN)", len(c.APIToken), c.Listen, minToken)
	}
	return nil
}

// minToken is the smallest number of characters of a token beyond loopback.
const minToken = 20

// allowedHosts returns the names that the API answers to; none for any name. Where
// there is no token, only its own names are answered to, so that a page cannot
// reach Sage by a name that it has pointed here (DNS rebinding).
func (c *Config) allowedHosts() []string {
	if c.APIToken == "" {
		return append([]string{"localhost"}, c.AllowedHosts...)
	}
	return c.AllowedHosts
}

// beyondLoopback reports whether Sage listens on an address that others reach.
func (c *Config) beyondLoopback() bool {
	host, _, _ := net.SplitHostPort(c.Listen)
	return !loopback(host)
}

// parseProxies reads addresses and ranges of addresses.
func parseProxies(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, aerr := netip.ParseAddr(text); aerr == nil {
			prefix, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q: use an address such as 192.0.2.1, or a range such as 192.0.2.0/24 (SAGE_TRUSTED_PROXIES)", text)
		}
		all = append(all, prefix.Masked())
	}
	return all, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
