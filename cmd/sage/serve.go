package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/urfave/cli/v2"

	"sage/cmd/internal/daemon"
	"sage/cmd/internal/systemd"
)

func serveCommand() *cli.Command {
	return withFile(&cli.Command{
		Name:     "serve",
		Usage:    "run the daemon: the page, the API and the streams",
		Category: groupDaemon,
		Flags:    slices.Concat(engineFlags(), catalogFlags(), serverFlags(), desktopFlags()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg, err := config(c)
			if err != nil {
				return err
			}
			if cfg.Listener, err = systemd.Listener(); err != nil {
				return err
			}
			if cfg.Listener != nil {
				cfg.Listen = cfg.Listener.Addr().String()
			}
			if err := cfg.Validate(); err != nil {
				return usageError{err}
			}
			limitMemory(cfg.Logger)
			d, err := daemon.New(c.Context, cfg)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "sage is ready: http://%s\n", d.Addr())
			hurry, stop := onSecondSignal()
			defer stop()
			return supervised(c.Context, hurry, d, systemd.Notifier{Log: cfg.Logger})
		},
	})
}

// limitMemory makes the garbage collector work harder before the process reaches the
// memory limit of its control group, where the kernel would kill it. GOMEMLIMIT comes
// first.
func limitMemory(log *slog.Logger) {
	limit, err := memlimit.SetGoMemLimitWithOpts()
	switch {
	case err != nil: // Most often there is no limit.
		log.Debug("memory limit is not known", "error", err)
	case limit > 0:
		log.Info("memory limit", "bytes", limit)
	}
}

// supervised runs the daemon and tells the service manager how it is.
func supervised(ctx, hurry context.Context, d *daemon.Daemon, manager systemd.Notifier) error {
	defer onHangup(func() {
		manager.Reloading()
		d.ReloadCatalog()
		manager.Ready()
	})()
	defer context.AfterFunc(ctx, manager.Stopping)()
	watch, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { manager.Watch(watch, d.Alive) })
	defer work.Wait()
	defer stop()
	manager.Ready()
	return d.Run(ctx, hurry)
}

// onHangup calls reload for every SIGHUP until stop is called.
func onHangup(reload func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-signals:
				reload()
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(done)
		work.Wait()
	}
}

// onSecondSignal gives a context that ends with the second signal to end: the
// first one asks for an orderly end, which takes its time.
func onSecondSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, endSignals()...)
	go func() {
		defer signal.Stop(signals)
		for range 2 {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
		}
		cancel(errors.New("a second signal came"))
	}()
	return ctx, func() { cancel(nil) }
}
