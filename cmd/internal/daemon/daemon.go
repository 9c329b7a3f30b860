// Package daemon makes a running Sage out of its parts: it loads the catalog,
// finds the engine, adopts the desktops that are there, and serves.
//
// It is the only package that knows which backends exist. It promises that New
// leaves nothing behind when it fails, and that Close ends what it began in the
// reverse order while desktops go on. It must not know the command line.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/catalog"
	"sage/httpapi"
	"sage/metrics"
	"sage/runtime"
	"sage/session"
	"sage/web"
)

const (
	// reconcileInterval is how often the engine's list is compared with what is
	// known; what clients notice is looked at sooner.
	reconcileInterval = 5 * time.Second
	// queueTimeout is how long a start may wait for others.
	queueTimeout = 5 * time.Minute
	// closeTimeout bounds Close, stopTimeout the stopping of all desktops.
	closeTimeout, stopTimeout = 30 * time.Second, 2 * time.Minute
)

// Daemon is a Sage that listens. Make it with New, let it work with Run.
type Daemon struct {
	cfg      Config
	info     runtime.Info
	listener net.Listener
	api      *httpapi.Server
	manager  *session.Manager
	catalog  *catalog.Live
	// undo are the steps of Close, in the order in which they were begun.
	undo []step
}

// step is one thing to end.
type step struct {
	name string
	end  func(context.Context) error
}

// New makes a daemon and adopts the desktops that an earlier one left. The
// address is bound afterwards, but nothing is served before Run.
func New(ctx context.Context, cfg Config) (*Daemon, error) {
	d := &Daemon{cfg: cfg}
	if err := d.build(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Daemon) build(ctx context.Context) error {
	cfg := d.cfg
	if err := cfg.Validate(); err != nil {
		return err
	}
	var err error
	if err := CheckNotShared(cfg.Catalog); err != nil {
		return fmt.Errorf("catalog: %w: who writes it decides what is run", err)
	}
	if d.catalog, err = catalog.Open(cfg.Catalog); err != nil {
		return err
	}
	unlock, err := lockDir(cfg.DataDir)
	if err != nil {
		return err
	}
	d.onClose("data directory", func(context.Context) error { return unlock() })
	if d.listener = cfg.Listener; d.listener == nil {
		d.listener, err = net.Listen("tcp", cfg.Listen)
	}
	if err != nil {
		return fmt.Errorf("listen: %w: choose another address with SAGE_LISTEN", err)
	}
	d.onClose("listener", func(context.Context) error { return ignoreClosed(d.listener.Close()) })
	rt, info, err := OpenRuntime(ctx, cfg.Engine, cfg.Logger)
	if err != nil {
		return err
	}
	d.info = info
	d.onClose("engine", func(context.Context) error { return rt.Close() })
	counts := metrics.New(cfg.Version)
	observer, err := d.observe(ctx, counts)
	if err != nil {
		return err
	}
	d.warn()
	network, joined, err := cfg.desktopNetwork(info)
	if err != nil {
		return err
	}
	if joined != nil {
		cfg.Logger.Info("sage runs in a container: desktops are on its network", "network", network, "address", joined.Address)
	}
	if err := cfg.checkPublished(info); err != nil {
		return err
	}
	if d.listener, err = cfg.fence(d.listener, info, joined); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	proxies, err := parseProxies(cfg.TrustedProxies)
	if err != nil {
		return err
	}
	files, err := fileLimit()
	if err != nil {
		return err
	}
	if d.manager, err = session.New(counts.Runtime(rt), session.Options{
		Catalog: d.catalog.Current, DataDir: cfg.DataDir, BaseName: cfg.BaseName, Instance: cfg.Instance,
		Network: network, PublishIP: publishIP(joined),
		PortStart: cfg.PortStart, PortEnd: cfg.PortEnd,
		MaxDesktops: cfg.MaxDesktops, StartsAtOnce: cfg.StartsAtOnce, QueueTimeout: queueTimeout,
		StartTimeout: cfg.StartTimeout, ImageTimeout: cfg.ImageTimeout, FirstClientGrace: cfg.FirstClientGrace,
		IdleTimeout: cfg.IdleTimeout, MaxLifetime: cfg.MaxLifetime, StopGrace: cfg.StopGrace,
		ReconcileInterval: reconcileInterval, BuildArgs: cfg.BuildArgs, Logger: cfg.Logger, Observer: observer, LastPictures: true,
	}); err != nil {
		return err
	}
	if _, err := d.manager.Recover(ctx); err != nil {
		cfg.Logger.Error("not every desktop could be adopted", "error", err)
	}
	d.api = httpapi.New(d.manager, httpapi.Options{
		Logger: cfg.Logger, Version: cfg.Version, Catalog: d.catalog.Current, CatalogStatus: d.catalog.Status, Page: web.Handler(), Metrics: counts.Handler(),
		Token: cfg.APIToken, AllowedOrigins: cfg.AllowedOrigins, AllowedHosts: cfg.allowedHosts(), AllowAddresses: cfg.beyondLoopback(),
		TrustedProxies: proxies, Limits: limits(files, cfg.ClientConnections), Refused: counts.Refused, Dropped: counts.Dropped,
	})
	counts.Watch(metrics.Sources{Sessions: d.manager.List, Streams: d.api.Streams, Traffic: d.api.Traffic, Catalog: d.catalog.Status})
	// Sessions end first: what requests and streams wait for ends with them.
	d.onClose("requests", d.api.Close)
	d.onClose("streams", d.api.Shutdown)
	d.onClose("sessions", d.manager.Close)
	return nil
}

// warn says what the engine will not do.
func (d *Daemon) warn() {
	log, i := d.cfg.Logger, d.info
	log.Info("container engine", "backend", i.Backend, "version", i.Version, "host", i.Host, "rootless", i.Rootless)
	for _, w := range i.Warnings {
		log.Warn(w)
	}
	if d.cfg.APIToken == "" && d.cfg.AllowAnonymous && d.cfg.beyondLoopback() {
		log.Warn("everybody who reaches this address may start, see and stop every desktop: set SAGE_API_TOKEN", "address", d.cfg.Listen)
	}
}

func (d *Daemon) onClose(name string, end func(context.Context) error) {
	d.undo = append(d.undo, step{name, end})
}

// Addr is the address that is listened on.
func (d *Daemon) Addr() net.Addr { return d.listener.Addr() }

// Alive returns when the daemon is not stuck: its sessions can be looked at.
func (d *Daemon) Alive() { d.manager.List() }

// Info is what the engine said of itself.
func (d *Daemon) Info() runtime.Info { return d.info }

// Run serves until ctx ends or serving fails, drains, and closes the daemon. The
// end of hurry ends the draining at once.
func (d *Daemon) Run(ctx, hurry context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		d.manager.Run(context.WithoutCancel(ctx)) // Until it is closed: clocks go on while streams do.
		return nil
	})
	work.Go(func() error {
		d.watchCatalog(ctx)
		return nil
	})
	work.Go(func() error {
		if err := d.api.Serve(d.listener); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	work.Go(func() error {
		<-ctx.Done()
		d.drain(hurry)
		return d.Close()
	})
	return work.Wait()
}

// drain waits for starts and requests that are under way and for streams, which
// their clients end, and stops the desktops where that is wanted.
func (d *Daemon) drain(hurry context.Context) {
	log := d.cfg.Logger
	log.Info("going down", "streams", d.api.Streams(), "until", time.Now().Add(d.cfg.DrainTimeout))
	ctx, cancel := context.WithTimeoutCause(hurry, d.cfg.DrainTimeout, errors.New("the drain time-out is over"))
	defer cancel()
	starts := make(chan error, 1)
	go func() { starts <- d.manager.Drain(ctx) }()
	if err := errors.Join(d.api.Drain(ctx), <-starts); err != nil {
		log.Warn("does not wait any longer", "error", err)
	} else {
		log.Info("nothing is under way any more")
	}
	if !d.cfg.StopDesktops {
		return
	}
	ctx, cancel = context.WithTimeout(hurry, stopTimeout)
	defer cancel()
	if err := d.manager.StopAll(ctx); err != nil {
		log.Error("not every desktop was stopped; the next sage finds those that are left", "error", err)
	}
}

// Close ends the daemon within a bounded time. Desktops go on. It may be called
// more than once.
func (d *Daemon) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var problems []error
	for _, s := range slices.Backward(d.undo) {
		if err := s.end(ctx); err != nil {
			problems = append(problems, fmt.Errorf("close %s: %w", s.name, err))
		}
	}
	d.undo = nil
	return errors.Join(problems...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
