package e2e_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuadlet runs deploy/quadlet as Podman's generator would have it run: Sage in a container on a network of Podman's,
// with the engine's socket, and desktops beside it.
func TestQuadlet(t *testing.T) {
	for _, name := range []string{"podman-rootless", "podman"} {
		t.Run(name, func(t *testing.T) { testQuadlet(t, connect(t, name)) })
	}
}

func testQuadlet(t *testing.T, e *engine) {
	e.bringImages(t, "desktop")
	need(t, "../bin/sage", "run make build")
	instance := "e2e-" + strings.ToLower(rand.Text()[:10])
	image, port := "localhost/sage/"+instance+":latest", freePort(t)
	d := &daemon{t: t, e: e, instance: instance, base: instance + "-", address: "http://127.0.0.1:" + port, uids: map[string]bool{}}
	cleanUp := func(args ...string) {
		t.Cleanup(func() { e.command(context.WithoutCancel(t.Context()), args...) })
	}
	e.cli(t, "build", "-q", "-f", "../deploy/Containerfile", "-t", image, "..")
	cleanUp("rmi", "-f", image)
	e.cli(t, "network", "create", instance)
	cleanUp("network", "rm", "-f", instance)
	cleanUp("volume", "rm", "-f", instance)
	cleanUp("rm", "-f", "-v", instance)
	t.Cleanup(func() { e.sweep(t, instance, d.volume, d.knownUIDs()) })
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := e.command(context.WithoutCancel(t.Context()), "logs", instance)
			t.Log(out)
		}
	})
	run := func() {
		args := quadletArgs(t, strings.NewReplacer(
			"%t/podman/podman.sock", strings.TrimPrefix(e.host, "unix://"), "sage.volume", instance, "sage.network", instance,
			"ContainerName=sage", "ContainerName="+instance, "localhost/sage/sage:latest", image, "127.0.0.1:4024:", "127.0.0.1:"+port+":",
		))
		args = append([]string{"run", "-d", "-e", "SAGE_INSTANCE=" + instance, "-e", "CONTAINER_BASE_NAME=" + d.base, "-e", "SAGE_BUILD_ARGS=" + vncServer}, args...)
		e.cli(t, args...)
		d.awaitReady(t)
	}
	run()
	e.cli(t, "healthcheck", "run", instance)
	first := d.start(t, "allocate", `{"vm":"desktop"}`)
	d.watch(t, first.URL, "vnc").await(t, "quadlet", showsTerminal)
	for _, c := range e.containers(t.Context(), t, instance, first.UID) {
		c, err := e.rt.Inspect(t.Context(), c.ID)
		if err != nil || len(c.Ports) > 0 {
			t.Errorf("the desktop publishes %v, %v", c.Ports, err)
		}
		testFence(t, e, instance, instance, string(c.ID))
	}
	e.cli(t, "rm", "-f", "-t", "60", instance)
	run()
	if again := d.start(t, first.UID, `{}`); again.URL != first.URL {
		t.Errorf("the desktop was not adopted: its url is %s, was %s", again.URL, first.URL)
	}
	d.watch(t, first.URL, "vnc").await(t, "quadlet-adopted", showsTerminal)
	d.stop(t, first.UID)
}

// quadletArgs are the arguments of podman run that sage.container stands for (podman-systemd.unit(5)), the image at last.
func quadletArgs(t *testing.T, place *strings.Replacer) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "quadlet", "sage.container"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "[Container]\n")
	section, _, _ = strings.Cut(section, "\n[")
	var args []string
	image, user, group := "", "", ""
	for line := range strings.Lines(place.Replace(section)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		switch key {
		case "Image":
			image = value
		case "User":
			user = value
		case "Group":
			group = value
		case "Environment":
			for _, one := range strings.Fields(value) {
				args = append(args, "--env", one)
			}
		case "ReadOnly":
			args = append(args, "--read-only="+value)
		case "NoNewPrivileges":
			args = append(args, "--security-opt=no-new-privileges")
		case "SecurityLabelDisable":
			args = append(args, "--security-opt=label=disable")
		case "PodmanArgs":
			args = append(args, strings.Fields(value)...)
		default:
			flag, known := map[string]string{
				"ContainerName": "--name", "Network": "--network", "PublishPort": "--publish", "Volume": "--volume", "Tmpfs": "--tmpfs",
				"DropCapability": "--cap-drop", "HealthCmd": "--health-cmd", "HealthInterval": "--health-interval",
			}[key]
			if !known {
				t.Fatalf("this test does not know what %s stands for", key)
			}
			args = append(args, flag, value)
		}
	}
	return append(args, "--user", user+":"+group, image)
}
