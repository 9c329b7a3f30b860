package podman

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/containers/podman/v5/pkg/bindings"
	"github.com/containers/podman/v5/pkg/bindings/system"

	"sage/runtime"
)

// connectTimeout bounds the making of a connection, whoever waits for it.
const connectTimeout = 30 * time.Second

// link is a connection to an engine and what that said of itself. It does not
// change.
type link struct {
	// values is the context in which the bindings keep their connection; it is
	// asked for values only.
	values context.Context
	host   *url.URL
	info   runtime.Info
	// asked is when info was true.
	asked time.Time
	// seesProcesses says that the engine's process numbers mean the same here.
	seesProcesses bool
}

// joined is a request's context that carries the values of a connection.
type joined struct {
	context.Context
	values context.Context
}

// Value looks into the request first.
func (j joined) Value(key any) any {
	if value := j.Context.Value(key); value != nil {
		return value
	}
	return j.values.Value(key)
}

// call does a request. It returns when the context ends even if the bindings
// have not noticed yet: they retry, and sleep between. What they still do then
// ends by itself, within a second or with the service's answer.
func call[T any](ctx context.Context, r *Runtime, op, subject string, do func(context.Context, *link) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, fault(ctx, op, subject, err)
	}
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		l, err := r.current(ctx)
		if err == nil {
			a.value, err = do(joined{Context: ctx, values: l.values}, l)
		}
		if ctx.Err() == nil && l != nil && disconnected(err) && r.link.CompareAndSwap(l, nil) {
			l.close()
		}
		a.err = err
		answers <- a
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return none, fault(ctx, op, subject, a.err)
		}
		return a.value, nil
	case <-ctx.Done():
		return none, fault(ctx, op, subject, ctx.Err())
	}
}

// run is call for requests without an answer.
func run(ctx context.Context, r *Runtime, op, subject string, do func(context.Context, *link) error) error {
	_, err := call(ctx, r, op, subject, func(ctx context.Context, l *link) (struct{}, error) {
		return struct{}{}, do(ctx, l)
	})
	return err
}

// current is the connection in use, or a new one. Callers that come at the same
// time may each make one; the last one stays.
func (r *Runtime) current(ctx context.Context) (*link, error) {
	if l := r.link.Load(); l != nil {
		return l, nil
	}
	host := r.host
	if host == "" {
		host = usualSocket()
	}
	l, err := connect(ctx, host)
	if err != nil {
		return nil, err
	}
	if before := r.link.Swap(l); before != nil {
		before.close()
	}
	return l, nil
}

// connect makes a connection and asks the engine who it is. The context of the
// connection outlives the request, so it is not made of the request's.
func connect(ctx context.Context, host string) (*link, error) {
	address, err := url.Parse(host)
	if err != nil {
		return nil, err
	}
	base, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	values, err := bindings.NewConnection(base, host)
	if err != nil {
		return nil, err
	}
	l := &link{values: values, host: address}
	return l.ask(joined{Context: ctx, values: values})
}

// ask asks the engine who it is and gives a link that knows.
func (l *link) ask(ctx context.Context) (*link, error) {
	said, err := system.Info(ctx, nil)
	if err != nil {
		return nil, err
	}
	fresh := &link{values: l.values, host: l.host, info: describe(said), asked: time.Now()}
	fresh.info.Host = l.host.String()
	fresh.seesProcesses = l.host.Scheme == "unix" && sharesNamespace(l.host.Path, "pid")
	if fresh.info.Capabilities.ContainerAddress, err = l.reachable(ctx, fresh.info.Rootless); err != nil {
		return nil, err
	}
	if err := fresh.lookAround(ctx); err != nil {
		return nil, err
	}
	if fresh.info.Subnets, err = fresh.subnets(ctx); err != nil {
		fresh.info.Warnings = append(fresh.info.Warnings, runtime.WarnSubnets(err))
	}
	return fresh, nil
}

// ping asks for a sign of life.
func (l *link) ping(ctx context.Context) error {
	connection, err := bindings.GetClient(ctx)
	if err != nil {
		return err
	}
	response, err := connection.DoRequest(ctx, nil, http.MethodGet, "/_ping", nil, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return response.Process(nil)
}

// describe is what the engine said, in the caller's own copy.
func (l *link) describe() runtime.Info {
	info := l.info
	info.Warnings = slices.Clone(info.Warnings)
	info.Networks = slices.Clone(info.Networks)
	info.Published, info.Subnets = slices.Clone(info.Published), slices.Clone(info.Subnets)
	return info
}

// close closes idle connections; calls on their way end as usual.
func (l *link) close() {
	if connection, err := bindings.GetClient(l.values); err == nil {
		connection.Client.CloseIdleConnections()
	}
}

// usualSocket is where a service listens that nobody configured: the user's own
// where there is one, else the host's.
func usualSocket() string {
	const socket = "podman/podman.sock"
	var dirs []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, dir)
	}
	if uid := os.Getuid(); uid > 0 {
		dirs = append(dirs, filepath.Join("/run/user", strconv.Itoa(uid)))
	}
	dirs = append(dirs, "/run")
	for _, dir := range dirs {
		path := filepath.Join(dir, socket)
		if _, err := os.Stat(path); err == nil {
			return "unix://" + path
		}
	}
	// None is there: the error shall name the one that this user would start.
	if os.Getuid() > 0 {
		return "unix://" + filepath.Join(dirs[0], socket)
	}
	return "unix://" + filepath.Join("/run", socket)
}
