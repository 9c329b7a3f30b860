package e2e_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/docker"
	"sage/runtime/podman"
	"sage/runtime/runtimetest"
	"sage/session"
)

// The labels by which Sage's containers are found from outside.
const (
	labelInstance = "io.sage.instance"
	labelUID      = "io.sage.uid"
)

const (
	// catalogFile is the project's own.
	catalogFile = "../catalog.yaml"
	// vncServer is the one that needs nothing but Debian's archive.
	vncServer = "VNC_SERVER=tigervnc"
	// lookInterval is the pause between two looks at something outside.
	lookInterval = 50 * time.Millisecond
)

// engine is one real engine, and the tests' own eye on it beside Sage's.
type engine struct {
	name string
	// kind and host are Sage's settings for it.
	kind, host string
	rt         runtime.Runtime
}

func connect(t *testing.T, name string) *engine {
	e := &engine{name: name, kind: "podman", host: runtimetest.EngineHost(t, name)}
	var err error
	if name == "docker" {
		e.kind = "docker"
		e.rt, err = docker.New(docker.Options{Host: e.host})
	} else {
		e.rt, err = podman.New(podman.Options{Host: e.host})
	}
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	t.Cleanup(func() {
		if err := e.rt.Close(); err != nil {
			t.Errorf("close the engine: %v", err)
		}
	})
	info, err := e.rt.Ping(t.Context())
	if err != nil {
		t.Fatalf("ping: %v", err)
	}
	runtimetest.Report(t, name, info)
	return e
}

// bringImages builds what is missing or outdated of the apps' images; those of the
// whole catalog if no app is named.
func (e *engine) bringImages(t *testing.T, only ...string) {
	t.Helper()
	apps, err := catalog.Load(catalogFile)
	if err != nil {
		t.Fatal(err)
	}
	images := session.NewImages(e.rt, func() *catalog.Catalog { return apps }, map[string]string{"VNC_SERVER": "tigervnc"})
	for i := range apps.Apps {
		app := &apps.Apps[i]
		if len(only) > 0 && !slices.Contains(only, app.ID) {
			continue
		}
		var last []string
		err := images.Update(t.Context(), app, func(app string, p runtime.Progress) {
			if p.Text != "" {
				last = append(last[max(0, len(last)-30):], app+": "+p.Text)
			}
		})
		if err == nil {
			continue
		}
		for _, line := range last {
			t.Log(line)
		}
		t.Fatalf("image of %s: %v (is the base image there? see scripts/base-image.sh %s)", app.ID, err, e.name)
	}
}

// containers gives the containers of a daemon, or of one of its uids.
func (e *engine) containers(ctx context.Context, t *testing.T, instance, uid string) []runtime.Container {
	t.Helper()
	selector := runtime.Selector{Labels: map[string]string{labelInstance: instance}}
	if uid != "" {
		selector.Labels[labelUID] = uid
	}
	list, err := e.rt.List(ctx, selector)
	if err != nil {
		t.Fatalf("list containers: %v", err)
	}
	return list
}

// await waits until something is so.
func await(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(lookInterval)
	}
}

// awaitGone waits until a uid has no container, and gives the moment.
func (e *engine) awaitGone(t *testing.T, instance, uid string) time.Time {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		if len(e.containers(ctx, t, instance, uid)) == 0 {
			return time.Now()
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the container of %s is still there after a minute", uid)
		case <-tick.C:
		}
	}
}

func (e *engine) hasVolume(t *testing.T, name string) bool {
	t.Helper()
	_, err := e.rt.Volume(t.Context(), name)
	if err != nil && !errors.Is(err, runtime.ErrNotFound) {
		t.Fatalf("volume %s: %v", name, err)
	}
	return err == nil
}

// sweep takes away every container of an instance, and the volumes of the uids.
func (e *engine) sweep(t *testing.T, instance string, volume func(uid string) string, uids map[string]bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, c := range e.containers(ctx, t, instance, "") {
		uids[c.Labels[labelUID]] = true
		if err := e.rt.Remove(ctx, c.ID); err != nil {
			t.Errorf("clean up container %s: %v", c.Name, err)
		}
	}
	for uid := range uids {
		if err := e.rt.RemoveVolume(ctx, volume(uid)); err != nil {
			t.Errorf("clean up volume %s: %v", volume(uid), err)
		}
	}
}

// absolute is for paths that another process is told.
func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
