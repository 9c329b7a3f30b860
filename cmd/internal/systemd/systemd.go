// Package systemd speaks with the service manager that has started this process,
// where one has (sd_notify(3), sd_listen_fds(3)).
//
// It promises that all of it does nothing for a process that was started by hand.
// It must not know what the process is for.
package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Listener gives the TCP socket that was bound for this process; nil where none
// was. It takes the socket out of the environment, so it is called once.
func Listener() (net.Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("socket activation: %w", err)
	}
	switch {
	case len(listeners) == 0:
		return nil, nil
	case len(listeners) > 1:
		return nil, fmt.Errorf("socket activation: %d sockets were passed: name one address in ListenStream= of the socket unit", len(listeners))
	}
	if _, ok := listeners[0].(*net.TCPListener); !ok {
		return nil, fmt.Errorf("socket activation: the socket is no TCP listener: use ListenStream=HOST:PORT in the socket unit")
	}
	return listeners[0], nil
}

// Notifier tells the service manager how the process is. What cannot be told is
// logged, since nothing depends on it but the manager's own view.
type Notifier struct{ Log *slog.Logger }

// Ready says that the process serves, also after Reloading.
func (n Notifier) Ready() { n.notify(daemon.SdNotifyReady) }

// Stopping says that it goes down.
func (n Notifier) Stopping() { n.notify(daemon.SdNotifyStopping) }

// Reloading says that it reads its configuration; Ready must follow.
func (n Notifier) Reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		n.Log.Warn("service manager is not told of the reload", "error", err)
		return
	}
	n.notify(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

// Watch tells the manager's watchdog that the process lives, twice as often as
// it wants, until ctx ends. It calls alive before: when that does not return,
// nothing is told, and the manager starts the process anew.
func (n Notifier) Watch(ctx context.Context, alive func()) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		n.Log.Warn("the service manager's watchdog is not told anything", "error", err)
	}
	if interval <= 0 {
		return
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		alive()
		n.notify(daemon.SdNotifyWatchdog)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n Notifier) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.Log.Warn("service manager cannot be told", "state", state, "error", err)
	}
}
