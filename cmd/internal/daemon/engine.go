package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"sage/runtime"
	"sage/runtime/docker"
	"sage/runtime/podman"
)

// The values of Engine.Kind.
const (
	EngineAuto   = "auto"
	EngineDocker = "docker"
	EnginePodman = "podman"
)

// pingTimeout is how long an engine may take to say who it is.
const pingTimeout = 10 * time.Second

// Engine says which container engine is used.
type Engine struct {
	// Kind is one of the Engine constants.
	Kind string
	// Host is the address of its API; empty means that it is looked for.
	Host string
}

// place is one engine that may be there.
type place struct {
	kind, host string
	// from says why it is tried.
	from string
}

// PlaceError says why an engine could not be had from one of the places where
// it was looked for.
type PlaceError struct {
	// Kind is EngineDocker or EnginePodman, Host the address of its API, From why it
	// was tried.
	Kind, Host, From string
	Err              error
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("%s at %s (%s): %v", e.Kind, e.Host, e.From, e.Err)
}

// Unwrap gives the engine's error.
func (e *PlaceError) Unwrap() error { return e.Err }

// OpenRuntime finds the engine and gives it when it answers. Where nothing
// answers, the error says all that was tried and why each failed, and holds a
// *PlaceError for each. A Podman service that has to be started ends with the
// runtime's Close.
func OpenRuntime(ctx context.Context, e Engine, log *slog.Logger) (runtime.Runtime, runtime.Info, error) {
	places, err := e.places()
	if err != nil {
		return nil, runtime.Info{}, err
	}
	return openFirst(ctx, places, e.Kind != EngineDocker && e.Host == "", log)
}

// openFirst gives the first engine that answers, at last a Podman service of
// its own where it may start one.
func openFirst(ctx context.Context, places []place, mayStart bool, log *slog.Logger) (runtime.Runtime, runtime.Info, error) {
	var tried *multierror.Error
	for _, p := range places {
		rt, info, err := p.open(ctx)
		if err == nil {
			return rt, info, nil
		}
		tried = multierror.Append(tried, &PlaceError{p.kind, p.host, p.from, err})
	}
	if mayStart {
		rt, info, err := startPodman(ctx, log)
		if err == nil {
			return rt, info, nil
		}
		tried = multierror.Append(tried, err)
	}
	return nil, runtime.Info{}, fmt.Errorf("no container engine answers: start Docker or Podman, or name one with "+
		"SAGE_RUNTIME and SAGE_RUNTIME_HOST: %w", tried)
}

// places lists where to look, in order: what the environment names, then the
// usual sockets, those of the user before those of the machine.
func (e Engine) places() ([]place, error) {
	if e.Kind != EngineAuto && e.Kind != EngineDocker && e.Kind != EnginePodman {
		return nil, fmt.Errorf("engine %q is not known: use auto, docker or podman (SAGE_RUNTIME)", e.Kind)
	}
	if e.Host != "" {
		kind := e.Kind
		if kind == EngineAuto {
			return nil, errors.New("SAGE_RUNTIME_HOST needs SAGE_RUNTIME to be docker or podman: an address does not tell which it is")
		}
		return []place{{kind, e.Host, "SAGE_RUNTIME_HOST"}}, nil
	}
	user := os.Getenv("XDG_RUNTIME_DIR")
	if user == "" {
		user = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	}
	var places []place
	for _, p := range []place{
		{EngineDocker, os.Getenv("DOCKER_HOST"), "DOCKER_HOST"},
		{EnginePodman, os.Getenv("CONTAINER_HOST"), "CONTAINER_HOST"},
		{EnginePodman, "unix://" + filepath.Join(user, "podman/podman.sock"), "rootless Podman's socket"},
		{EngineDocker, "unix://" + filepath.Join(user, "docker.sock"), "rootless Docker's socket"},
		{EngineDocker, "unix:///var/run/docker.sock", "Docker's socket"},
		{EnginePodman, "unix:///run/podman/podman.sock", "Podman's socket"},
	} {
		if p.host != "" && (e.Kind == EngineAuto || e.Kind == p.kind) {
			places = append(places, p)
		}
	}
	return places, nil
}

// open connects to the engine and asks who it is. Where nothing listens it says so
// at once: Podman's bindings would try again for more than half a second.
func (p place) open(ctx context.Context) (runtime.Runtime, runtime.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if socket, local := strings.CutPrefix(p.host, "unix://"); local {
		if err := listens(ctx, socket); err != nil {
			return nil, runtime.Info{}, &runtime.Error{Op: "ping", Backend: p.kind, Kind: runtime.ErrUnavailable, Err: err}
		}
	}
	var rt runtime.Runtime
	var err error
	if p.kind == EngineDocker {
		rt, err = docker.New(docker.Options{Host: p.host})
	} else {
		rt, err = podman.New(podman.Options{Host: p.host})
	}
	if err != nil {
		return nil, runtime.Info{}, err
	}
	info, err := rt.Ping(ctx)
	if err != nil {
		return nil, runtime.Info{}, errors.Join(err, rt.Close())
	}
	return rt, info, nil
}

// listens says why nothing listens on a socket.
func listens(ctx context.Context, socket string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return conn.Close()
}
