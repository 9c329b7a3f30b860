package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
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
	if !loopback(host) && c.APIToken == "" && !c.AllowAnonymous {
		return fmt.Errorf("listening on %s lets everybody who reaches it start desktops: set SAGE_API_TOKEN, or say --allow-anonymous", c.Listen)
	}
	return nil
}

// allowedHosts are the names that the API answers to. A daemon on loopback that
// asks for no token answers to loopback's names only, whatever else it is told.
func (c *Config) allowedHosts() []string {
	host, _, _ := net.SplitHostPort(c.Listen)
	if loopback(host) && c.APIToken == "" {
		return append([]string{"localhost"}, c.AllowedHosts...)
	}
	return c.AllowedHosts
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
