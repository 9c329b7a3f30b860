package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"

	"sage/runtime"
	"sage/runtime/runtimetest"
)

// corner is a part of the real engine for tests of what only this package
// knows: the engine's own words and ways.
type corner struct {
	rt     *Runtime
	image  string
	unique string
}

func newCorner(t *testing.T) *corner {
	t.Helper()
	rt, err := New(Options{Host: runtimetest.EngineHost(t, "docker")})
	if err != nil {
		t.Fatal(err)
	}
	c := &corner{rt: rt, image: runtimetest.TestImage(t, rt), unique: strings.ToLower(rand.Text())}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		runtimetest.RemoveLabelled(ctx, t, rt, c.unique)
		_ = rt.Close()
	})
	return c
}

// create makes a container of this corner.
func (c *corner) create(t *testing.T, change func(*runtime.Spec)) runtime.ID {
	t.Helper()
	spec := runtime.Spec{
		Name:   "sage-test-" + strings.ToLower(rand.Text()),
		Image:  c.image,
		Labels: map[string]string{runtimetest.LabelTest: c.unique},
	}
	change(&spec)
	id, err := c.rt.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// build makes an image out of a Containerfile and the given files.
func (c *corner) build(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	ref := "localhost/sage/test-" + strings.ToLower(rand.Text()) + ":latest"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		runtimetest.RemoveLabelled(ctx, t, c.rt, c.unique)
		c.removeImage(ctx, t, ref)
	})
	err := c.rt.EnsureImage(t.Context(), runtime.ImageRequest{
		Ref: ref, Build: &runtime.Build{ContextDir: dir, Containerfile: "Containerfile"},
	}, nil)
	return ref, err
}

func (c *corner) removeImage(ctx context.Context, t *testing.T, ref string) {
	t.Helper()
	e, err := c.rt.current(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := e.api.ImageRemove(ctx, ref, image.RemoveOptions{Force: true}); err != nil && kindOf("", err) != runtime.ErrNotFound {
		t.Error(err)
	}
}

// publish asks for the test program's port on a host port.
func publish(on netip.AddrPort) func(*runtime.Spec) {
	return func(s *runtime.Spec) {
		s.Ports = []runtime.PortBinding{{ContainerPort: 8080, HostIP: on.Addr(), HostPort: on.Port()}}
	}
}

// TestWordsOfStart proves that the texts that errors.go knows are those of the
// engine.
func TestWordsOfStart(t *testing.T) {
	c := newCorner(t)
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ofProgram := held.Addr().(*net.TCPAddr).AddrPort()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ofContainer := free.Addr().(*net.TCPAddr).AddrPort()
	free.Close()
	if err := c.rt.Start(t.Context(), c.create(t, publish(ofContainer))); err != nil {
		t.Fatal(err)
	}
	missing, err := c.build(t, map[string]string{"Containerfile": "FROM scratch\nCOPY a /a\nENTRYPOINT [\"/missing\"]\n", "a": "a"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.build(t, map[string]string{"Containerfile": "FROM scratch\nCOPY a /a\nENTRYPOINT [\"/a\"]\n", "a": "no program"})
	if err != nil {
		t.Fatal(err)
	}
	inPath, err := c.build(t, map[string]string{"Containerfile": "FROM scratch\nCOPY a /a\nENTRYPOINT [\"missing\"]\n", "a": "a"})
	if err != nil {
		t.Fatal(err)
	}
	of := func(image string) func(*runtime.Spec) {
		return func(s *runtime.Spec) { s.Image = image }
	}
	tests := []struct {
		name   string
		change func(*runtime.Spec)
		want   error
	}{
		{"port of a program", publish(ofProgram), runtime.ErrPortInUse},
		{"port of a container", publish(ofContainer), runtime.ErrPortInUse},
		{"an address that is not this host's", publish(netip.MustParseAddrPort("192.0.2.1:8080")), runtime.ErrInvalid},
		{"program is missing", of(missing), runtime.ErrInvalid},
		{"program is missing in the path", of(inPath), runtime.ErrInvalid},
		{"program cannot be executed", of(text), runtime.ErrInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id := c.create(t, test.change)
			err := c.rt.Start(t.Context(), id)
			wantKind(t, err, "start", test.want)
			t.Log(err)
			found, err := c.rt.Inspect(t.Context(), id)
			if err != nil || found.State != runtime.StateCreated {
				t.Errorf("afterwards: %q, %v", found.State, err)
			}
		})
	}
}

func TestWordsOfBuild(t *testing.T) {
	c := newCorner(t)
	tests := []struct {
		name          string
		containerfile string
		want          error
		says          string
	}{
		{"unknown instruction", "FROM scratch\nNONSENSE\n", runtime.ErrInvalid, "NONSENSE"},
		{"empty", "", runtime.ErrInvalid, ""},
		{"missing file", "FROM scratch\nCOPY missing /\n", runtime.ErrImageNotFound, "missing"},
		{"failing step", "FROM " + c.image + "\nENV TESTAPP_MODE=exit TESTAPP_CODE=7\nRUN [\"/testapp\"]\n", runtime.ErrImageNotFound, "code: 7"},
		{"missing base", "FROM localhost:1/sage/missing:latest\n", runtime.ErrImageNotFound, "localhost:1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := c.build(t, map[string]string{"Containerfile": test.containerfile})
			wantKind(t, err, "ensureimage", test.want)
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
			t.Log(err)
		})
	}
}

// TestDialThroughPublishedPort takes the way of an engine whose containers'
// addresses cannot be reached.
func TestDialThroughPublishedPort(t *testing.T) {
	c := newCorner(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	on := free.Addr().(*net.TCPAddr).AddrPort()
	free.Close()
	id := c.create(t, func(s *runtime.Spec) {
		publish(netip.AddrPortFrom(netip.IPv4Unspecified(), on.Port()))(s)
		s.Env = map[string]string{"TESTAPP_MODE": "slow", "TESTAPP_DELAY": "1s"}
	})
	if err := c.rt.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	e := *c.rt.engine.Load()
	e.info.Capabilities.ContainerAddress = false
	c.rt.engine.Store(&e)

	refused := 0
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := c.rt.Dial(t.Context(), id, 8080)
		if err == nil {
			conn.Close()
			break
		}
		if !errors.Is(err, runtime.ErrRefused) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		refused++
	}
	if refused == 0 {
		t.Error("nobody listened, and no dialling was refused")
	}
	_, err = c.rt.Dial(t.Context(), id, 9)
	wantKind(t, err, "dial", runtime.ErrInvalid)
}
