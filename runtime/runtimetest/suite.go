// Package runtimetest is the conformance suite of the contract in package
// runtime: every backend, and the fake, passes the same cases.
//
// A backend calls Run in a test of a few lines. What engines do differently is
// declared in runtime.Capabilities and checked against the truth; no case asks
// for a backend's name. The package also finds the engines for tests
// (EngineHost), makes the image that they run (TestImage) and notes which
// engines were really used (Report).
//
// It imports the contract and the standard library only.
package runtimetest

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sage/runtime"
)

// Harness is what the suite needs of a backend.
type Harness struct {
	// New makes the runtime under test; it is called once and the suite closes
	// the result.
	New func(t *testing.T) runtime.Runtime
	// Image is a reference to an image on the engine that runs the test program;
	// empty means that TestImage builds it.
	Image string
	// Network is the name of a network that the engine has.
	Network string
	// InProcess says that containers are goroutines of this process, so that
	// there is no kernel whose enforcement could be tested.
	InProcess bool
	// Host is the machine on which ports are published; nil means this one.
	Host Host
}

// Host is the engine's machine as seen from the process that tests.
type Host interface {
	// Dial connects to a TCP address of the machine, or one reachable from it.
	Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	// Hold takes a TCP port as a stranger until the result is closed.
	Hold(addr netip.AddrPort) (io.Closer, error)
}

// Run runs the whole suite as subtests of t.
func Run(t *testing.T, h Harness) {
	rt := h.New(t)
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	info, err := rt.Ping(t.Context())
	if err != nil {
		t.Fatalf("ping: %v", err)
	}
	s := &suite{rt: rt, info: info, image: h.Image, network: h.Network, inProcess: h.InProcess, host: h.Host}
	if s.image == "" {
		s.image = TestImage(t, rt)
	}
	if s.host == nil {
		s.host = thisHost{}
	}
	names := map[string]bool{}
	for _, c := range allCases() {
		if names[c.name] {
			t.Fatalf("two cases are named %q", c.name)
		}
		names[c.name] = true
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			c.run(t, s.scope(t))
		})
	}
}

// testCase is one promise of the contract.
type testCase struct {
	name string
	run  func(t *testing.T, s *scope)
}

func allCases() []testCase {
	return slices.Concat(
		infoCases(),
		lifeCases(),
		stopCases(),
		unknownCases(),
		nameCases(),
		imageCases(),
		labelCases(),
		eventCases(),
		processCases(),
		portCases(),
		dialCases(),
		networkCases(),
		volumeCases(),
		fileSystemCases(),
		limitCases(),
		logCases(),
		statsCases(),
		contextCases(),
		concurrencyCases(),
		regressionCases(),
	)
}

// suite is what all cases share.
type suite struct {
	rt        runtime.Runtime
	info      runtime.Info
	image     string
	network   string
	inProcess bool
	host      Host
}

// thisHost is the machine that the test runs on.
type thisHost struct{}

func (thisHost) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", addr.String())
}

func (thisHost) Hold(addr netip.AddrPort) (io.Closer, error) {
	return net.Listen("tcp", addr.String())
}
