package daemon

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sage/runtime"
)

func TestPlaces(t *testing.T) {
	const user = "/run/someone"
	sockets := []string{
		"podman unix:///run/someone/podman/podman.sock", "docker unix:///run/someone/docker.sock",
		"docker unix:///var/run/docker.sock", "podman unix:///run/podman/podman.sock",
	}
	only := func(kind string, hosts ...string) []string {
		return slices.DeleteFunc(append(hosts, sockets...), func(p string) bool { return !strings.HasPrefix(p, kind) })
	}
	tests := []struct {
		name                      string
		engine                    Engine
		dockerHost, containerHost string
		want                      []string
		wantErr                   string
	}{
		{"auto", Engine{Kind: EngineAuto}, "", "", sockets, ""},
		{"auto, the environment first", Engine{Kind: EngineAuto}, "tcp://d:1", "unix:///p",
			append([]string{"docker tcp://d:1", "podman unix:///p"}, sockets...), ""},
		{"docker", Engine{Kind: EngineDocker}, "tcp://d:1", "unix:///p", only("docker", "docker tcp://d:1"), ""},
		{"podman", Engine{Kind: EnginePodman}, "tcp://d:1", "unix:///p", only("podman", "podman unix:///p"), ""},
		{"named", Engine{Kind: EnginePodman, Host: "unix:///x"}, "tcp://d:1", "unix:///p", []string{"podman unix:///x"}, ""},
		{"named without kind", Engine{Kind: EngineAuto, Host: "unix:///x"}, "", "", nil, "SAGE_RUNTIME"},
		{"unknown kind", Engine{Kind: "lxc"}, "", "", nil, "use auto, docker or podman"},
		{"no kind", Engine{}, "", "", nil, "use auto, docker or podman"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("XDG_RUNTIME_DIR", user)
			t.Setenv("DOCKER_HOST", test.dockerHost)
			t.Setenv("CONTAINER_HOST", test.containerHost)
			places, err := test.engine.places()
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("got %v", err)
				}
				return
			}
			var got []string
			for _, p := range places {
				got = append(got, p.kind+" "+p.host)
			}
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %q, %v\nwant %q", got, err, test.want)
			}
		})
	}
}

func TestNoEngine(t *testing.T) {
	noEngine(t)
	log := slog.New(slog.DiscardHandler)
	absent := "unix://" + filepath.Join(t.TempDir(), "absent.sock")
	for _, kind := range []string{EngineDocker, EnginePodman} {
		_, _, err := OpenRuntime(t.Context(), Engine{Kind: kind, Host: absent}, log)
		if !errors.Is(err, runtime.ErrUnavailable) || !strings.Contains(err.Error(), absent) || !strings.Contains(err.Error(), kind+" at") {
			t.Errorf("%s: %v", kind, err)
		}
	}

	empty := t.TempDir()
	_, _, err := openFirst(t.Context(), []place{
		{EngineDocker, absent, "DOCKER_HOST"}, {EnginePodman, absent + "2", "CONTAINER_HOST"},
		{EngineDocker, "unix://" + empty, "a directory"}, {EnginePodman, "carrier-pigeon://roof", "no address"},
	}, true, log)
	if err == nil {
		t.Fatal("an engine was found")
	}
	for _, want := range []string{
		"SAGE_RUNTIME_HOST", "docker at " + absent + " (DOCKER_HOST): ", "podman at " + absent + "2 (CONTAINER_HOST): ",
		"docker at unix://" + empty + " (a directory): ", "podman at carrier-pigeon://roof (no address): ", "podman program: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	_, _, err = openFirst(t.Context(), []place{{EngineDocker, absent, "x"}}, false, log)
	if err == nil || strings.Contains(err.Error(), "podman program") {
		t.Errorf("got %v", err)
	}
}

func TestEngineOfTheEnvironmentComesFirst(t *testing.T) {
	noEngine(t)
	host := engine(t)
	t.Setenv("DOCKER_HOST", host)
	rt, info, err := OpenRuntime(t.Context(), Engine{Kind: EngineAuto}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	if info.Backend != "docker" || info.Host != host || info.Version != "99.1" {
		t.Errorf("got %+v", info)
	}
}

// TestPodmanProgramThatEnds is a podman that cannot serve its API.
func TestPodmanProgramThatEnds(t *testing.T) {
	long := strings.Repeat("x", 2*serviceWords)
	for _, c := range []struct{ name, script, want string }{
		{"says nothing", "exit 125", "try it by hand to see why"},
		{"says why", "echo 'try resetting it' >&2; exit 1", "it ended: try resetting it"},
		{"says much", "echo " + long + "end >&2; exit 1", "it ended: " + long[:serviceWords-len("end")] + "end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			noEngine(t)
			bin, tmp := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(bin, "podman"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin)
			t.Setenv("TMPDIR", tmp)
			_, _, err := startPodman(t.Context(), slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), "system service") || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
