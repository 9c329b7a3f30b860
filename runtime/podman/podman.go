// Package podman is the contract of package runtime over Podman's own API, for
// an engine with root and for one without.
//
// It speaks to services from 4.0 on through Podman's bindings and adds nothing
// of its own to what the engine does but the words: specs, states and errors are
// translated. The engine is asked for its abilities when it is connected to, and
// again by Ping after a while. The package must not know sessions, the catalog or
// HTTP.
package podman

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"sage/runtime"
)

// backend is the name that the package goes by.
const backend = "podman"

var _ runtime.Runtime = (*Runtime)(nil)

// Options says where the engine is.
type Options struct {
	// Host is the address of the engine's API, for example
	// "unix:///run/podman/podman.sock" or "tcp://10.0.0.5:8080". Empty means
	// CONTAINER_HOST, and where that is not set the usual sockets, that of the
	// user first.
	Host string
}

// Runtime is a Podman service. It is safe for concurrent use.
type Runtime struct {
	// host is empty where the socket is looked for.
	host string
	// link is the connection in use; nil before the first call and after a
	// failure.
	link atomic.Pointer[link]
	// removing holds a token while a volume is removed.
	removing chan struct{}
}

// New makes a Runtime without connecting: an engine that is not there yet is
// found by the first call after it came. The error is about the options alone.
func New(opts Options) (*Runtime, error) {
	host := opts.Host
	if host == "" {
		host = os.Getenv("CONTAINER_HOST")
	}
	if host != "" {
		address, err := url.Parse(host)
		if err == nil && address.Scheme != "unix" && address.Scheme != "tcp" {
			err = fmt.Errorf("engine host %q: use unix:// or tcp:// (for ssh, forward the engine's socket)", host)
		}
		if err != nil {
			return nil, failure("new", host, runtime.ErrInvalid, err)
		}
	}
	return &Runtime{host: host, removing: make(chan struct{}, 1)}, nil
}

// askAgain is how long what an engine said of itself is taken for true while
// it stays connected: asking takes it about 0.3 s, an answer to /_ping 1 ms.
const askAgain = time.Minute

// Ping implements runtime.Runtime. An engine that was replaced by another one
// behind its socket is taken notice of within a minute.
func (r *Runtime) Ping(ctx context.Context) (runtime.Info, error) {
	return call(ctx, r, "ping", "", func(ctx context.Context, l *link) (runtime.Info, error) {
		if time.Since(l.asked) < askAgain {
			return l.describe(), l.ping(ctx)
		}
		fresh, err := l.ask(ctx)
		if err != nil {
			return runtime.Info{}, err
		}
		r.link.CompareAndSwap(l, fresh)
		return fresh.describe(), nil
	})
}

// Close implements runtime.Runtime.
func (r *Runtime) Close() error {
	if l := r.link.Swap(nil); l != nil {
		l.close()
	}
	return nil
}
