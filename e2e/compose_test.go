package e2e_test

import (
	"context"
	"crypto/rand"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// composeFile is what an operator starts from.
const composeFile = "../deploy/compose.yaml"

// TestCompose brings Sage up as deploy/compose.yaml says, with the Docker socket
// and a volume at /app/data, and uses it.
func TestCompose(t *testing.T) {
	e := connect(t, "docker")
	e.bringImages(t)
	need(t, "docker-compose", "install Debian's docker-compose")
	need(t, "../bin/sage", "run make build")

	instance := "e2e-" + strings.ToLower(rand.Text()[:10])
	address := freeAddress(t)
	d := &daemon{t: t, e: e, instance: instance, base: instance + "-", address: "http://" + address, uids: map[string]bool{}}
	env := settings{
		"PATH": os.Getenv("PATH"), "HOME": t.TempDir(), "DOCKER_HOST": e.host, "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0",
		"SAGE_LISTEN": address, "SAGE_INSTANCE": instance, "CONTAINER_BASE_NAME": d.base, "SAGE_VNC_SERVER": "tigervnc",
		"PORT_RANGE_START": "24000", "PORT_RANGE_END": "24100", "CONTAINER_NO_CLIENT_TIMEOUT": "30",
	}
	compose := func(ctx context.Context, args ...string) {
		cmd := exec.CommandContext(ctx, "docker-compose", append([]string{"-p", instance, "-f", composeFile}, args...)...)
		cmd.Env = maps.Clone(env).environ()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("docker-compose %s: %v\n%s", args[0], err, out)
		}
	}
	t.Cleanup(func() { e.sweep(t, instance, d.volume, d.knownUIDs()) })
	t.Cleanup(func() { compose(context.WithoutCancel(t.Context()), "down", "--volumes") })
	compose(t.Context(), "up", "--detach", "--build")
	d.awaitReady(t)

	first := d.start(t, "allocate", `{"vm":"desktop"}`)
	s := d.watch(t, first.URL, "vnc")
	s.await(t, "desktop", showsTerminal)
	// Its data outlive the container of Sage, and desktops do, too.
	compose(t.Context(), "up", "--detach", "--force-recreate")
	d.awaitReady(t)
	if again := d.start(t, first.UID, `{}`); again.URL != first.URL {
		t.Errorf("the desktop was not adopted: its url is %s, was %s", again.URL, first.URL)
	}
	d.stop(t, first.UID)
}

// awaitReady waits until Sage says that it can start desktops.
func (d *daemon) awaitReady(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		a, err := d.call(t.Context(), http.MethodGet, "/readyz", "")
		if err == nil && a.status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("sage is not ready after a minute: %v %s", err, a.body)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(lookInterval):
		}
	}
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
