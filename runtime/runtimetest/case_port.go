package runtimetest

import (
	"errors"
	"io"
	"net/netip"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func portCases() []testCase {
	return []testCase{
		{"a published port is reachable at its address", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort, app.EchoPort)
			s.run(t, spec)
			binding := spec.Ports[1]
			conn, err := s.host.Dial(t.Context(), netip.AddrPortFrom(binding.HostIP, binding.HostPort))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := echo(conn, []byte("hello")); err != nil {
				t.Error(err)
			}
		}},
		{"a published port is reachable at no other address", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort, app.EchoPort)
			s.run(t, spec)
			// All of 127.0.0.0/8 is this machine; a port published everywhere is
			// there, too.
			other := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 2}), spec.Ports[1].HostPort)
			if conn, err := s.host.Dial(t.Context(), other); err == nil {
				conn.Close()
				t.Errorf("published at %v, but %v answers", spec.Ports[1].HostIP, other)
			}
		}},
		{"a port that a stranger holds", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			stranger, err := s.host.Hold(netip.AddrPortFrom(spec.Ports[0].HostIP, spec.Ports[0].HostPort))
			if err != nil {
				t.Fatal(err)
			}
			testPortInUse(t, s, spec, stranger)
		}},
		{"a port that a stranger holds on all addresses", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			stranger, err := s.host.Hold(netip.AddrPortFrom(netip.IPv4Unspecified(), spec.Ports[0].HostPort))
			if err != nil {
				t.Fatal(err)
			}
			testPortInUse(t, s, spec, stranger)
		}},
		{"a port that another container holds", func(t *testing.T, s *scope) {
			holder := s.spec(t, app.HTTPPort)
			id := s.start(t, holder)
			spec := s.spec(t)
			spec.Ports = holder.Ports
			testPortInUse(t, s, spec, removal{t: t, s: s, id: id})
		}},
		{"a port is free after remove", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			for range 3 {
				s.remove(t, s.run(t, spec).id)
			}
		}},
	}
}

// removal is a container that holds something until it is closed.
type removal struct {
	t  *testing.T
	s  *scope
	id runtime.ID
}

func (r removal) Close() error { return r.s.rt.Remove(r.t.Context(), r.id) }

// testPortInUse wants the held port of spec to be told, whether the engine finds
// out early or late, and nothing to be left in the way of the next try.
func testPortInUse(t *testing.T, s *scope, spec runtime.Spec, holder io.Closer) {
	t.Helper()
	defer func() {
		if holder != nil {
			holder.Close()
		}
	}()
	// try gives the error of a start, after taking the container away.
	try := func() error {
		t.Helper()
		id, err := s.rt.Create(t.Context(), spec)
		op := "create"
		if err == nil {
			op = "start"
			err = s.rt.Start(t.Context(), id)
			if err != nil {
				if c := s.inspect(t, id); c.State == runtime.StateRunning {
					t.Error("the container runs after a failed start")
				}
			} else {
				(&probe{rt: s.rt, id: id}).await(t)
			}
			s.remove(t, id)
		}
		if err != nil {
			s.wantShape(t, err, op)
		}
		return err
	}
	// Twice, because a half undone first try would spoil the second.
	for range 2 {
		if err := try(); !errors.Is(err, runtime.ErrPortInUse) {
			t.Fatalf("got %v, want %q", err, runtime.ErrPortInUse)
		}
	}
	held := spec.Ports[0].HostPort
	spec.Ports = []runtime.PortBinding{spec.Ports[0]}
	spec.Ports[0].HostPort = FreePort(t)
	if err := try(); err != nil {
		t.Fatalf("the same name with another port: %v", err)
	}
	err := holder.Close()
	holder = nil
	if err != nil {
		t.Fatal(err)
	}
	spec.Ports[0].HostPort = held
	if err := try(); err != nil {
		t.Fatalf("the port after its holder has gone: %v", err)
	}
}
