package e2e_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sage/runtime/runtimetest"
)

const (
	// composeFile is what an operator starts from.
	composeFile = "../deploy/compose.yaml"
	// nobody is the user of Sage's own image.
	nobody = "65532"
)

// TestCompose brings Sage up as deploy/compose.yaml says, in a container with Docker's socket and on networks of its
// own, and uses it: as root without capabilities, which needs no setting, and as nobody.
func TestCompose(t *testing.T) {
	e := connect(t, "docker")
	e.bringImages(t, "desktop")
	need(t, "docker-compose", "install Debian's docker-compose")
	need(t, "../bin/sage", "run make build")
	t.Run("root without capabilities", func(t *testing.T) { testCompose(t, e, "") })
	t.Run("nobody", func(t *testing.T) {
		testCompose(t, e, nobody+":"+groupOf(t, strings.TrimPrefix(e.host, "unix://")))
	})
}

func testCompose(t *testing.T, e *engine, user string) {
	instance := "e2e-" + strings.ToLower(rand.Text()[:10])
	port := freePort(t)
	d := &daemon{t: t, e: e, instance: instance, base: instance + "-", address: "http://127.0.0.1:" + port, uids: map[string]bool{}}
	network := instance + "-desktops"
	env := settings{
		"PATH": os.Getenv("PATH"), "HOME": t.TempDir(), "DOCKER_HOST": e.host, "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0",
		"SAGE_PORT": port, "SAGE_NETWORK": network, "SAGE_INSTANCE": instance, "CONTAINER_BASE_NAME": d.base, "SAGE_VNC_SERVER": "tigervnc",
		"CONTAINER_NO_CLIENT_TIMEOUT": "30",
	}
	if user != "" {
		env["SAGE_USER"] = user
	}
	compose := func(ctx context.Context, args ...string) string {
		cmd := exec.CommandContext(ctx, "docker-compose", append([]string{"-p", instance, "-f", composeFile}, args...)...)
		cmd.Env = maps.Clone(env).environ()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("docker-compose %s: %v\n%s", args[0], err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { compose(context.WithoutCancel(t.Context()), "down", "--volumes") })
	t.Cleanup(func() { e.sweep(t, instance, d.volume, d.knownUIDs()) })
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(compose(context.WithoutCancel(t.Context()), "logs", "--no-color"))
		}
	})
	compose(t.Context(), "up", "--detach", "--build")
	d.awaitReady(t)
	sage := instance + "_sage_1"
	awaitHealthy(t, e, sage)

	first := d.start(t, "allocate", `{"vm":"desktop"}`)
	s := d.watch(t, first.URL, "vnc")
	s.await(t, "desktop", showsTerminal)
	for _, c := range e.containers(t.Context(), t, instance, first.UID) {
		c, err := e.rt.Inspect(t.Context(), c.ID)
		if err != nil || len(c.Ports) > 0 {
			t.Errorf("the desktop publishes %v, %v", c.Ports, err)
		}
		testFence(t, e, sage, network, string(c.ID))
	}
	// Its data outlive the container of Sage, and desktops do, too.
	compose(t.Context(), "up", "--detach", "--force-recreate")
	d.awaitReady(t)
	if again := d.start(t, first.UID, `{}`); again.URL != first.URL {
		t.Errorf("the desktop was not adopted: its url is %s, was %s", again.URL, first.URL)
	}
	d.watch(t, first.URL, "vnc").await(t, "adopted", showsTerminal)
	d.stop(t, first.UID)
}

// TestImage makes Sage's own image and runs it as the page for operators says, by hand: nobody may do all of it, the image's
// own check finds it well, and without being told Sage puts desktops on the network that it is on.
func TestImage(t *testing.T) {
	e := connect(t, "docker")
	e.bringImages(t, "desktop")
	build := exec.CommandContext(t.Context(), "make", "-C", "..", "image", "ENGINE=docker")
	build.Env = append(os.Environ(), "DOCKER_HOST="+e.host, "DOCKER_BUILDKIT=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make image: %v\n%s", err, out)
	}
	const image = "localhost/sage/sage:latest"
	var made struct {
		Size   int64
		Config struct {
			User         string
			Healthcheck  struct{ Test []string }
			ExposedPorts map[string]any
			Volumes      map[string]any
		}
	}
	answer{body: e.cli(t, "image", "inspect", "-f", "{{json .}}", image)}.decode(t, &made)
	if c := made.Config; c.User != nobody+":"+nobody || len(c.Healthcheck.Test) == 0 || c.ExposedPorts["4024/tcp"] == nil || c.Volumes["/app/data"] == nil || made.Size > 64<<20 {
		t.Errorf("%+v", made)
	}

	instance := "e2e-" + strings.ToLower(rand.Text()[:10])
	port := freePort(t)
	d := &daemon{t: t, e: e, instance: instance, base: instance + "-", address: "http://127.0.0.1:" + port, uids: map[string]bool{}}
	e.cli(t, "network", "create", instance)
	for _, args := range [][]string{{"network", "rm", instance}, {"volume", "rm", "-f", instance}, {"rm", "-f", instance}} {
		t.Cleanup(func() { e.command(context.WithoutCancel(t.Context()), args...) })
	}
	t.Cleanup(func() { e.sweep(t, instance, d.volume, d.knownUIDs()) })
	socket := strings.TrimPrefix(e.host, "unix://")
	e.cli(t, "run", "-d", "--name", instance, "--network", instance, "-p", "127.0.0.1:"+port+":4024",
		"--user", nobody+":"+groupOf(t, socket), "-v", socket+":/var/run/docker.sock", "-v", instance+":/app/data",
		"-e", "SAGE_ALLOW_ANONYMOUS=true", "-e", "SAGE_ALLOWED_HOSTS=localhost",
		"-e", "SAGE_INSTANCE="+instance, "-e", "CONTAINER_BASE_NAME="+d.base, "-e", "SAGE_BUILD_ARGS="+vncServer, image)
	d.awaitReady(t)
	awaitHealthy(t, e, instance)
	s := d.start(t, "allocate", `{"vm":"desktop"}`)
	d.watch(t, s.URL, "vnc").await(t, "image", showsTerminal)
	if networks := strings.TrimSpace(e.cli(t, "inspect", "-f", "{{range $name, $n := .NetworkSettings.Networks}}{{$name}} {{end}}", d.base+s.UID)); networks != instance {
		t.Errorf("the desktop is on %s", networks)
	}
	d.stop(t, s.UID)
}

// groupOf is the group that a file belongs to.
func groupOf(t *testing.T, file string) string {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatUint(uint64(info.Sys().(*syscall.Stat_t).Gid), 10)
}

// testFence wants a desktop to find nobody where Sage listens to others. What a desktop finds on its own port proves that
// it would.
func testFence(t *testing.T, e *engine, sage, network, desktop string) {
	t.Helper()
	address := strings.TrimSpace(e.cli(t, "inspect", "-f", `{{(index .NetworkSettings.Networks "`+network+`").IPAddress}}`, sage))
	talk := func(port int, words string) string {
		return e.cli(t, "exec", desktop, "bash", "-c",
			fmt.Sprintf(`trap "" PIPE; exec 3<>/dev/tcp/$0/%d && printf '%s' >&3; timeout 30 head -c 8 <&3 || true`, port, words), address)
	}
	if got := talk(4024, `GET /healthz HTTP/1.0\r\n\r\n`); got != "" {
		t.Errorf("a desktop is answered by Sage: %q", got)
	}
	address = "127.0.0.1"
	if got := talk(5900, ""); got != "RFB 003." {
		t.Errorf("a desktop is not answered by its own server: %q", got)
	}
}

// cli runs the engine's own program, which has to succeed.
func (e *engine) cli(t *testing.T, args ...string) string {
	t.Helper()
	out, err := e.command(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// command runs the engine's own program and gives what it wrote to its output.
func (e *engine) command(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.kind, args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.host, "CONTAINER_HOST="+e.host, "DOCKER_BUILDKIT=0")
	if e.kind == "podman" {
		cmd.Args = slices.Insert(cmd.Args, 1, "--remote")
	}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", e.kind, strings.Join(args, " "), err, out, said.String())
	}
	return string(out), err
}

// awaitHealthy waits until the engine finds a container's own check well.
func awaitHealthy(t *testing.T, e *engine, container string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		health := strings.TrimSpace(e.cli(t, "inspect", "-f", "{{.State.Health.Status}}", container))
		if health == "healthy" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %s: %s", container, health, e.cli(t, "inspect", "-f", "{{json .State.Health}}", container))
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(lookInterval):
		}
	}
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

// freePort is a port of loopback that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(int(runtimetest.FreePort(t)))
}
