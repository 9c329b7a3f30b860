// Package docker is the contract of package runtime over the Docker Engine API.
//
// It speaks to engines from API 1.24 on (the version is negotiated, never
// pinned), local or remote, and adds nothing of its own to what they do but the
// words: specs, states and errors are translated, and every call is one or two
// requests. The engine is asked for its abilities once, and again with every
// Ping. The package must not know sessions, the catalog or HTTP.
package docker

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"sage/runtime"
)

// backend is the name that the package goes by.
const backend = "docker"

// oldestAPI is the oldest version of the API that the package speaks.
const oldestAPI = "1.24"

var _ runtime.Runtime = (*Runtime)(nil)

// Options says where the engine is.
type Options struct {
	// Host is the address of the engine's API ("unix:///var/run/docker.sock",
	// "tcp://10.0.0.5:2376"). Empty means DOCKER_HOST, and where that is not set
	// the usual socket. DOCKER_CERT_PATH and DOCKER_TLS_VERIFY are honoured for
	// an engine that is reached over TCP.
	Host string
}

// Runtime is a Docker Engine. It is safe for concurrent use.
type Runtime struct {
	// open makes a client that has asked nothing yet.
	open func() (*client.Client, error)
	// engine is what the engine last said of itself; nil before the first call.
	engine atomic.Pointer[engine]
}

// New makes a Runtime without connecting: an engine that is not there yet is
// found by the first call after it came. The error is about the options alone.
func New(opts Options) (*Runtime, error) {
	host := opts.Host
	if host == "" {
		host = os.Getenv(client.EnvOverrideHost)
	}
	if host == "" {
		host = client.DefaultDockerHost
	}
	r := &Runtime{open: func() (*client.Client, error) { return open(host) }}
	if _, err := r.open(); err != nil {
		return nil, &runtime.Error{Op: "new", Backend: backend, ID: host, Kind: runtime.ErrInvalid, Err: err}
	}
	return r, nil
}

// open makes a client for host. It does not negotiate by itself: the client's
// own negotiation holds a lock during a request, so that one call's engine that
// hangs would keep another call from honouring its context.
func open(host string) (*client.Client, error) {
	address, err := client.ParseHostURL(host)
	if err != nil {
		return nil, err
	}
	var options []client.Opt
	switch address.Scheme {
	case "unix", "npipe":
	case "tcp", "http", "https":
		options = append(options, client.WithTLSClientConfigFromEnv())
	default:
		return nil, fmt.Errorf("engine host %q: use unix:// or tcp:// (for ssh, forward the engine's socket)", host)
	}
	options = append(options, client.WithHost(host), client.WithUserAgent("sage"))
	return client.NewClientWithOpts(options...)
}

// Ping implements runtime.Runtime. It also takes notice of an engine that was
// replaced by one of another version or configuration.
func (r *Runtime) Ping(ctx context.Context) (runtime.Info, error) {
	e, err := r.connect(ctx)
	if err != nil {
		return runtime.Info{}, fault(ctx, "ping", "", err)
	}
	return e.describe(), nil
}

// Close implements runtime.Runtime.
func (r *Runtime) Close() error {
	if e := r.engine.Swap(nil); e != nil {
		return e.api.Close()
	}
	return nil
}

// current is the engine as it was last seen, asked now if it was not seen yet.
func (r *Runtime) current(ctx context.Context) (*engine, error) {
	if e := r.engine.Load(); e != nil {
		return e, nil
	}
	return r.connect(ctx)
}

// connect asks the engine who it is and remembers that. A client's API version
// is never changed once it is in use; another version gets another client.
func (r *Runtime) connect(ctx context.Context) (*engine, error) {
	known := r.engine.Load()
	var (
		api *client.Client
		err error
	)
	if known != nil {
		api = known.api
	} else if api, err = r.open(); err != nil {
		return nil, err
	}
	answer, err := api.Ping(ctx)
	if err != nil {
		closeUnless(known, api)
		return nil, err
	}
	if answer.APIVersion != "" && versions.LessThan(answer.APIVersion, oldestAPI) {
		closeUnless(known, api)
		return nil, fmt.Errorf("%w; this one offers %s", errTooOld, answer.APIVersion)
	}
	if known != nil && known.offered != answer.APIVersion {
		if api, err = r.open(); err != nil {
			return nil, err
		}
		known = nil
	}
	if known == nil {
		api.NegotiateAPIVersionPing(answer)
	}
	e, err := ask(ctx, api)
	if err != nil {
		closeUnless(known, api)
		return nil, err
	}
	e.offered = answer.APIVersion
	if before := r.engine.Swap(e); before != nil && before.api != api {
		// Calls on their way end as usual; only idle connections are closed.
		_ = before.api.Close()
	}
	return e, nil
}

// closeUnless closes a client that was made in vain.
func closeUnless(known *engine, api *client.Client) {
	if known == nil {
		_ = api.Close()
	}
}
