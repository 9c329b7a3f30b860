package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"github.com/urfave/cli/v2/altsrc"

	"sage/cmd/internal/daemon"
)

// Categories of flags in the help text.
const (
	categoryEngine   = "Container engine"
	categoryServer   = "Server"
	categoryDesktops = "Desktops"
	categoryClient   = "Which sage"
)

func text(name, env, value, category, usage string) cli.Flag {
	return altsrc.NewStringFlag(&cli.StringFlag{Name: name, EnvVars: []string{env}, Value: value, Category: category, Usage: usage})
}

func list(name, env, category, usage string) cli.Flag {
	return altsrc.NewStringSliceFlag(&cli.StringSliceFlag{Name: name, EnvVars: []string{env}, Category: category, Usage: usage})
}

// secret is a setting for the environment and the settings file: on the command
// line every account of the host sees it (proc(5), cmdline).
func secret(name, env, category, usage string) cli.Flag {
	return altsrc.NewStringFlag(&cli.StringFlag{Name: name, EnvVars: []string{env}, Category: category, Usage: usage, Hidden: true})
}

func number(name, env string, value int, category, usage string) cli.Flag {
	return altsrc.NewIntFlag(&cli.IntFlag{Name: name, EnvVars: []string{env}, Value: value, Category: category, Usage: usage})
}

func yes(name, env, category, usage string) cli.Flag {
	return altsrc.NewBoolFlag(&cli.BoolFlag{Name: name, EnvVars: []string{env}, Category: category, Usage: usage})
}

// span is a flag for a time: whole seconds, or a Go duration.
func span(name, env string, value time.Duration, category, usage string) cli.Flag {
	return text(name, env, value.String(), category, usage+" (seconds, or a duration such as 1m30s)")
}

func engineFlags() []cli.Flag {
	return []cli.Flag{
		text("runtime", "SAGE_RUNTIME", daemon.EngineAuto, categoryEngine, "`ENGINE`: auto, docker or podman"),
		text("runtime-host", "SAGE_RUNTIME_HOST", "", categoryEngine, "`ADDRESS` of the engine's API, for example unix:///run/podman/podman.sock"),
	}
}

func catalogFlags() []cli.Flag {
	return []cli.Flag{
		text("catalog", "SAGE_CATALOG", "catalog.yaml", categoryDesktops, "`FILE` with the apps"),
		list("build-arg", "SAGE_BUILD_ARGS", categoryDesktops, "`NAME=VALUE` that replaces a build argument of the catalog"),
	}
}

// clientFlags say which sage a client command asks. The token is the one that
// the daemon was given.
func clientFlags() []cli.Flag {
	return []cli.Flag{
		text("url", "SAGE_URL", "http://127.0.0.1:4024", categoryClient, "`ADDRESS` of the sage to ask"),
		secret(tokenFlag, "SAGE_API_TOKEN", categoryClient, "bearer `TOKEN` of that sage's API; not on the command line"),
		text(tokenFileFlag, "SAGE_API_TOKEN_FILE", "", categoryClient, "`FILE` with the bearer token of that sage's API, instead of SAGE_API_TOKEN"),
	}
}

func serverFlags() []cli.Flag {
	return []cli.Flag{
		text("listen", "SAGE_LISTEN", "127.0.0.1:4024", categoryServer, "`HOST:PORT` to serve on"),
		secret(tokenFlag, "SAGE_API_TOKEN", categoryServer, "bearer `TOKEN` that API calls need; required to listen beyond loopback, with 20 characters or more; not on the command line"),
		text(tokenFileFlag, "SAGE_API_TOKEN_FILE", "", categoryServer, "`FILE` with the bearer token that API calls need, instead of SAGE_API_TOKEN"),
		yes("allow-anonymous", "SAGE_ALLOW_ANONYMOUS", categoryServer, "listen beyond loopback without a token"),
		yes("published-on-loopback", "SAGE_PUBLISHED_ON_LOOPBACK", categoryServer, "sage is in a container whose port is published on the host's loopback only, and needs no token; sage asks the engine whether that is so"),
		list("trusted-proxy", "SAGE_TRUSTED_PROXIES", categoryServer, "`ADDRESS` or range of a reverse proxy whose X-Forwarded-For, X-Forwarded-User and X-Forwarded-Proto count"),
		number("client-connections", "SAGE_CLIENT_CONNECTIONS", 512, categoryServer, "`NUMBER` of connections, and of streams, that one client address may have; loopback and trusted proxies are exempt; 0 for no limit"),
		list("allowed-origin", "SAGE_ALLOWED_ORIGINS", categoryServer, "`ORIGIN` whose pages may use this sage, for example https://board.example"),
		list("allowed-host", "SAGE_ALLOWED_HOSTS", categoryServer, "`NAME` under which a reverse proxy asks this sage"),
		altsrc.NewStringFlag(&cli.StringFlag{
			Name: "data-dir", EnvVars: []string{"SAGE_DATA_DIR"}, Value: defaultDataDir(), Category: categoryServer,
			Usage:       "`DIRECTORY` for what outlives the daemon",
			DefaultText: "/var/lib/sage for root, sage in $XDG_DATA_HOME or ~/.local/share for others",
		}),
		span("drain-timeout", "SAGE_DRAIN_TIMEOUT", 5*time.Second, categoryServer, "`TIME` that open streams have to end when sage goes down; 0 for none"),
		yes("stop-desktops", "SAGE_STOP_DESKTOPS", categoryServer, "stop every desktop when sage goes down"),
		text("log-format", "SAGE_LOG_FORMAT", "auto", categoryServer, "`FORM` of the log: text, json, or auto for text on a terminal and json elsewhere"),
		text("log-level", "SAGE_LOG_LEVEL", "info", categoryServer, "`LEVEL`: debug, info, warn or error"),
	}
}

func desktopFlags() []cli.Flag {
	return []cli.Flag{
		number("port-range-start", "PORT_RANGE_START", 11000, categoryDesktops, "first host `PORT` for desktops"),
		number("port-range-end", "PORT_RANGE_END", 12000, categoryDesktops, "the `PORT` after the last one for desktops"),
		text("container-base-name", "CONTAINER_BASE_NAME", "collab-vm-", categoryDesktops, "`TEXT` that container names begin with"),
		text("instance", "SAGE_INSTANCE", "default", categoryDesktops, "`NAME` that tells this sage from others on the same engine"),
		text("network", "SAGE_NETWORK", "", categoryDesktops, "`NAME` of the engine's network for desktops; by default the first one that sage's own container is on, else the engine's"),
		number("max-desktops", "SAGE_MAX_DESKTOPS", 0, categoryDesktops, "`NUMBER` of desktops that there may be; 0 for no limit"),
		altsrc.NewIntFlag(&cli.IntFlag{
			Name: "starts-at-once", EnvVars: []string{"SAGE_STARTS_AT_ONCE"}, Value: max(6, 3*goruntime.NumCPU()), Category: categoryDesktops,
			Usage:       "`NUMBER` of desktops that may come up at the same time; others wait",
			DefaultText: "3 for each core, at least 6",
		}),
		span("no-client-timeout", "CONTAINER_NO_CLIENT_TIMEOUT", 15*time.Second, categoryDesktops, "`TIME` that a desktop stays after its last client left"),
		span("first-client-grace", "SAGE_FIRST_CLIENT_GRACE", time.Minute, categoryDesktops, "`TIME` that a desktop waits for its first client"),
		span("max-lifetime", "SAGE_MAX_LIFETIME", 0, categoryDesktops, "`TIME` after which a desktop ends in any case; 0 for never"),
		span("start-timeout", "SAGE_START_TIMEOUT", 90*time.Second, categoryDesktops, "`TIME` that a desktop may take to answer"),
		span("image-timeout", "SAGE_IMAGE_TIMEOUT", 30*time.Minute, categoryDesktops, "`TIME` that pulling or building an image may take"),
		span("stop-grace", "SAGE_STOP_GRACE", 5*time.Second, categoryDesktops, "`TIME` that a desktop's programs have to end"),
	}
}

// defaultDataDir is where programs keep such things: for root below /var/lib,
// for others in their home (XDG base directories).
func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/sage"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "sage")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "sage-data"
	}
	return filepath.Join(home, ".local", "share", "sage")
}

// config gathers a daemon's settings from flags, environment and file.
func config(c *cli.Context) (daemon.Config, error) {
	log, err := logger(c)
	if err != nil {
		return daemon.Config{}, err
	}
	args, err := buildArgs(c)
	if err != nil {
		return daemon.Config{}, err
	}
	token, err := apiToken(c)
	if err != nil {
		return daemon.Config{}, err
	}
	cfg := daemon.Config{
		Version: programVersion(), Logger: log, Engine: engine(c),
		Listen: c.String("listen"), Catalog: c.String("catalog"), DataDir: c.String("data-dir"),
		APIToken: token, AllowAnonymous: c.Bool("allow-anonymous"), PublishedOnLoopback: c.Bool("published-on-loopback"),
		TrustedProxies: items(c, "trusted-proxy"), ClientConnections: c.Int("client-connections"),
		AllowedOrigins: items(c, "allowed-origin"), AllowedHosts: items(c, "allowed-host"),
		BaseName: c.String("container-base-name"), Instance: c.String("instance"),
		Network: c.String("network"), PortStart: c.Int("port-range-start"), PortEnd: c.Int("port-range-end"), BuildArgs: args,
		MaxDesktops: c.Int("max-desktops"), StartsAtOnce: c.Int("starts-at-once"),
		StopDesktops: c.Bool("stop-desktops"),
	}
	for name, into := range map[string]*time.Duration{
		"no-client-timeout": &cfg.IdleTimeout, "first-client-grace": &cfg.FirstClientGrace, "max-lifetime": &cfg.MaxLifetime,
		"start-timeout": &cfg.StartTimeout, "image-timeout": &cfg.ImageTimeout, "stop-grace": &cfg.StopGrace, "drain-timeout": &cfg.DrainTimeout,
	} {
		if *into, err = parseSpan(name, c.String(name)); err != nil {
			return daemon.Config{}, err
		}
	}
	return cfg, nil
}

// items returns those of a list that are not empty: a variable that is set to
// nothing, as compose files set them, has none.
func items(c *cli.Context, name string) []string {
	var all []string
	for _, item := range c.StringSlice(name) {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

func engine(c *cli.Context) daemon.Engine {
	return daemon.Engine{Kind: c.String("runtime"), Host: c.String("runtime-host")}
}

func buildArgs(c *cli.Context) (map[string]string, error) {
	args := map[string]string{}
	for _, arg := range items(c, "build-arg") {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("build-arg %q: use NAME=VALUE", arg)}
		}
		args[name] = value
	}
	return args, nil
}

// parseSpan reads whole seconds, as the original's settings have them, or a Go
// duration.
func parseSpan(name, value string) (time.Duration, error) {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		return 0, usageError{fmt.Errorf("%s %q: use whole seconds, or a duration such as 1m30s", name, value)}
	}
	return d, nil
}

func logger(c *cli.Context) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, usageError{fmt.Errorf("log-level %q: use debug, info, warn or error", c.String("log-level"))}
	}
	return newLogger(c.App.ErrWriter, c.String("log-format"), level)
}
