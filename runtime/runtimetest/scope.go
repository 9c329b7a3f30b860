package runtimetest

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"sage/runtime"
)

// LabelTest is the label that every container of a test carries, with a value
// of the test's own.
const LabelTest = "io.sage.test"

// patience is how long the suite waits for something that must happen. It is no
// measure: it only keeps a broken backend from hanging the run.
const patience = 60 * time.Second

// scope is a case's own corner of the engine: whatever is made in it is taken
// away at the end.
type scope struct {
	*suite
	// unique is part of all names and the value of LabelTest.
	unique string
	made   int
}

func (s *suite) scope(t *testing.T) *scope {
	sc := &scope{suite: s, unique: strings.ToLower(rand.Text())}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		RemoveLabelled(ctx, t, s.rt, sc.unique)
	})
	return sc
}

// RemoveLabelled removes all containers whose LabelTest has the given value.
// Tests above the suite use it for their cleanup, too.
func RemoveLabelled(ctx context.Context, t *testing.T, rt runtime.Runtime, value string) {
	t.Helper()
	left, err := rt.List(ctx, runtime.Selector{Labels: map[string]string{LabelTest: value}})
	if err != nil {
		t.Errorf("clean up: %v", err)
	}
	for _, c := range left {
		if err := rt.Remove(ctx, c.ID); err != nil {
			t.Errorf("clean up %s: %v", c.Name, err)
		}
	}
}

// spec is a container of this scope with a name of its own, that publishes the
// given ports on fresh host ports.
func (s *scope) spec(t *testing.T, ports ...uint16) runtime.Spec {
	t.Helper()
	s.made++
	spec := runtime.Spec{
		Name:   "sage-test-" + s.unique + "-" + strconv.Itoa(s.made),
		Image:  s.image,
		Env:    map[string]string{},
		Labels: map[string]string{LabelTest: s.unique},
	}
	for _, port := range ports {
		spec.Ports = append(spec.Ports, runtime.PortBinding{
			ContainerPort: port,
			HostIP:        loopback(),
			HostPort:      FreePort(t),
		})
	}
	return spec
}

// volume is a volume name of this scope, which is removed at the end. It must be
// asked for before containers use it, so that it is removed after them.
func (s *scope) volume(t *testing.T) string {
	t.Helper()
	s.made++
	name := "sage-test-" + s.unique + "-volume-" + strconv.Itoa(s.made)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		RemoveLabelled(ctx, t, s.rt, s.unique)
		if err := s.rt.RemoveVolume(ctx, name); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return name
}

// create makes a container that must be possible.
func (s *scope) create(t *testing.T, spec runtime.Spec) runtime.ID {
	t.Helper()
	id, err := s.rt.Create(t.Context(), spec)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	if id == "" {
		t.Fatal("create gave an empty id")
	}
	return id
}

// start makes and starts a container that must be possible.
func (s *scope) start(t *testing.T, spec runtime.Spec) runtime.ID {
	t.Helper()
	id := s.create(t, spec)
	if err := s.rt.Start(t.Context(), id); err != nil {
		t.Fatalf("start: %v", err)
	}
	return id
}

// run starts a container and waits until its program answers.
func (s *scope) run(t *testing.T, spec runtime.Spec) *probe {
	t.Helper()
	p := &probe{rt: s.rt, id: s.start(t, spec)}
	p.await(t)
	return p
}

func (s *scope) inspect(t *testing.T, id runtime.ID) runtime.Container {
	t.Helper()
	c, err := s.rt.Inspect(t.Context(), id)
	if err != nil {
		t.Fatalf("inspect: %v", err)
	}
	return c
}

func (s *scope) remove(t *testing.T, id runtime.ID) {
	t.Helper()
	if err := s.rt.Remove(t.Context(), id); err != nil {
		t.Fatalf("remove: %v", err)
	}
}

// awaitExit waits until a container has ended and describes it.
func (s *scope) awaitExit(t *testing.T, id runtime.ID) runtime.Container {
	t.Helper()
	var c runtime.Container
	eventually(t, "the container has ended", func() bool {
		c = s.inspect(t, id)
		return c.State == runtime.StateExited
	})
	return c
}

// list gives the IDs of the containers that match labels.
func (s *scope) list(t *testing.T, labels map[string]string) []runtime.Container {
	t.Helper()
	found, err := s.rt.List(t.Context(), runtime.Selector{Labels: labels})
	if err != nil {
		t.Fatalf("list %v: %v", labels, err)
	}
	return found
}

// want checks that err is an error of the contract with that operation and kind.
func (s *scope) want(t *testing.T, err error, op string, kind error) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s succeeded, want %q", op, kind)
	}
	if !errors.Is(err, kind) {
		t.Fatalf("%s gave %q, want an error of kind %q", op, err, kind)
	}
	s.wantShape(t, err, op)
}

// wantShape checks that err is a *runtime.Error that is filled in.
func (s *scope) wantShape(t *testing.T, err error, op string) {
	t.Helper()
	var e *runtime.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s gave %T, want a *runtime.Error: %v", op, err, err)
	}
	if e.Op != op {
		t.Errorf("%s gave an error with Op %q", op, e.Op)
	}
	if e.Backend != s.info.Backend {
		t.Errorf("%s gave an error with Backend %q, but Ping says %q", op, e.Backend, s.info.Backend)
	}
	for _, kind := range kinds() {
		if e.Kind == kind {
			return
		}
	}
	t.Errorf("%s gave an error whose Kind is not one of the contract's: %v", op, e.Kind)
}

// kinds are all sentinels of the contract.
func kinds() []error {
	return []error{
		runtime.ErrNotFound, runtime.ErrImageNotFound, runtime.ErrConflict, runtime.ErrPortInUse,
		runtime.ErrInvalid, runtime.ErrUnavailable, runtime.ErrExhausted, runtime.ErrUnsupported,
		runtime.ErrRefused, runtime.ErrCanceled, runtime.ErrInternal,
	}
}

// eventually polls until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	const pause = 20 * time.Millisecond
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("gave up waiting until %s", what)
		case <-t.Context().Done():
			t.Fatalf("the test ended while waiting until %s", what)
		}
	}
}

// inTime runs a call that must not hang.
func inTime(t *testing.T, what string, limit time.Duration, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		t.Fatalf("%s did not return", what)
		return nil
	}
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// FreePort chooses a host port that nobody holds at the moment. It lies below
// the range from which the kernel gives ports to outgoing connections, and it is
// random, because other tests choose at the same time.
func FreePort(t *testing.T) uint16 {
	t.Helper()
	const first, count = 13_000, 17_000
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(count))
		if err != nil {
			t.Fatal(err)
		}
		port := uint16(first + n.Int64())
		listener, err := net.Listen("tcp", netip.AddrPortFrom(loopback(), port).String())
		if err != nil {
			continue
		}
		listener.Close()
		return port
	}
	t.Fatal("found no free port on this host")
	return 0
}
