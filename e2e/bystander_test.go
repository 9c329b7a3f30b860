package e2e_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest"
)

// labelDesktop names the desktop whose start made a home.
const labelDesktop = "io.sage.desktop"

// TestBystander lets another program do to desktops and homes what such programs do.
func TestBystander(t *testing.T) {
	for _, name := range []string{"docker", "podman", "podman-rootless"} {
		t.Run(name, func(t *testing.T) {
			e := connect(t, name)
			d := serve(t, e, settings{
				"SAGE_CATALOG": tinyCatalog(t, e), "CONTAINER_NO_CLIENT_TIMEOUT": "1h", "SAGE_FIRST_CLIENT_GRACE": "1h",
			})
			t.Run("recreates a container", func(t *testing.T) { testRecreated(t, d) })
			t.Run("removes a home", func(t *testing.T) { testLostHome(t, d) })
			t.Run("ends a desktop", func(t *testing.T) { testDeadNotHandedOut(t, d) })
			t.Run("labels a container of its own", func(t *testing.T) { testForged(t, d) })
		})
	}
}

// maker is which desktop's start made a uid's home: it is another one when the home
// is another one.
func (d *daemon) maker(t *testing.T, uid string) string {
	t.Helper()
	v, err := d.e.rt.Volume(t.Context(), d.volume(uid))
	if err != nil || v.Labels[labelDesktop] == "" {
		t.Fatalf("the home of %s: %+v, %v", uid, v, err)
	}
	return v.Labels[labelDesktop]
}

// testRecreated: a desktop's container is stopped, removed and made again in its first
// session, as programs that update containers do.
func testRecreated(t *testing.T, d *daemon) {
	const uid = "recreated"
	d.start(t, uid, startTinyHome)
	made := d.maker(t, uid)
	was, err := d.e.rt.Inspect(t.Context(), d.containerOf(t)[uid])
	if err != nil {
		t.Fatal(err)
	}
	if err := d.e.rt.Stop(t.Context(), was.ID, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := d.e.rt.Remove(t.Context(), was.ID); err != nil {
		t.Fatal(err)
	}
	id := d.copy(t, was.Name, was.Labels, runtime.VolumeMount{Volume: d.volume(uid), Path: "/home/app"})
	await(t, settleLimit, "the copy is removed", func() bool { return d.containerOf(t)[uid] != id })
	if now := d.maker(t, uid); now != made {
		t.Error("the home was deleted")
	}
	d.start(t, uid, startTinyHome)
	if now := d.maker(t, uid); now != made {
		t.Error("the home was deleted by the next start")
	}
	if strings.Contains(d.log(t), "delete-home") {
		t.Error("the log tells of a deletion")
	}
	if a := d.ask(t, http.MethodDelete, "/api/vm/"+uid+"?purge=true", ""); a.status != http.StatusNoContent || d.e.hasVolume(t, d.volume(uid)) {
		t.Errorf("purge: %d %s", a.status, a.body)
	}
	if !strings.Contains(d.log(t), "delete-home") {
		t.Error("the log does not tell of the purge")
	}
}

// copy runs a container with those labels, as somebody might. It is removed at the end
// of the test.
func (d *daemon) copy(t *testing.T, name string, labels map[string]string, volumes ...runtime.VolumeMount) runtime.ID {
	t.Helper()
	id, err := d.e.rt.Create(t.Context(), runtime.Spec{
		Name: name, Image: runtimetest.TestImage(t, d.e.rt), Env: map[string]string{"TESTAPP_MODE": "vnc"}, Labels: labels, Volumes: volumes,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.e.rt.Remove(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	if err := d.e.rt.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// testLostHome: the volume of somebody who is away is removed.
func testLostHome(t *testing.T, d *daemon) {
	const uid = "pruned"
	lost := func() bool {
		a := d.ask(t, http.MethodGet, "/api/vm/"+uid, "")
		return strings.Contains(a.body, `"home_lost":true`)
	}
	d.start(t, uid, startTinyHome)
	if lost() {
		t.Error("a first home is told to be lost")
	}
	if a := d.ask(t, http.MethodDelete, "/api/vm/"+uid, ""); a.status != http.StatusNoContent {
		t.Fatalf("stop: %d %s", a.status, a.body)
	}
	if err := d.e.rt.RemoveVolume(t.Context(), d.volume(uid)); err != nil {
		t.Fatal(err)
	}
	d.start(t, uid, startTinyHome)
	if !lost() || !strings.Contains(d.log(t), "home was removed by another program") {
		t.Error("the lost home is not told")
	}
}

// testDeadNotHandedOut: a desktop is killed, and asked for in the same moment.
func testDeadNotHandedOut(t *testing.T, d *daemon) {
	const uid = "killed"
	url := d.start(t, uid, startTiny).URL
	for i := range 5 {
		id := d.containerOf(t)[uid]
		if err := d.e.rt.Stop(t.Context(), id, 0); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if a := d.ask(t, http.MethodGet, "/api/vm/ws/"+uid, ""); strings.Contains(a.body, url) {
				t.Error("the address of the dead desktop was told")
			}
		}
		next := d.start(t, uid, startTiny).URL
		if next == url {
			t.Fatal("a start gave the address of the dead desktop")
		}
		url = next
		d.greets(t, uid, url)
	}
}

// testForged: a container with the labels of a desktop, of this version and of the one
// before, is nobody's, and stays.
func testForged(t *testing.T, d *daemon) {
	d.start(t, "owner", startTiny)
	owner, err := d.e.rt.Inspect(t.Context(), d.containerOf(t)["owner"])
	if err != nil {
		t.Fatal(err)
	}
	victim := maps.Clone(owner.Labels)
	victim[labelUID] = "victim"
	earlier := map[string]string{
		"io.sage.version": "1", labelInstance: d.instance, labelBaseName: d.base, labelUID: "victim", "io.sage.app": "tiny",
		"io.sage.token": strings.Repeat("a", 26), "io.sage.endpoints": "vnc=rfb:5900", "io.sage.viewing": "both",
	}
	tooLong := maps.Clone(earlier)
	tooLong["io.sage.token"] = strings.Repeat("a", 60)
	forged := map[string]runtime.ID{}
	for name, labels := range map[string]map[string]string{"copied": owner.Labels, "changed": victim, "earlier": earlier, "too-long": tooLong} {
		forged[name] = d.copy(t, d.instance+"-forged-"+name, labels)
	}
	d.awaitReports(t, len(forged))
	s := d.start(t, "victim", startTiny)
	if strings.Contains(s.URL, "aaaaaaaa") {
		t.Errorf("the victim got %s", s.URL)
	}
	d.stop(t, "victim")
	for name, id := range forged {
		if c, err := d.e.rt.Inspect(t.Context(), id); err != nil || c.State != runtime.StateRunning {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	d.greets(t, "owner", d.start(t, "owner", startTiny).URL)
}

// awaitReports waits until that many containers were reported as foreign.
func (d *daemon) awaitReports(t *testing.T, n int) {
	t.Helper()
	await(t, settleLimit, "the daemon reports foreign containers", func() bool {
		return strings.Count(d.log(t), "is left alone") >= n
	})
}
