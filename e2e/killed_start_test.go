package e2e_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestKilledStarts kills the daemon while desktops are started and stopped: the
// next one knows or takes away what there is, and everybody gets a desktop.
func TestKilledStarts(t *testing.T) {
	for _, c := range []struct {
		name  string
		kills int
	}{{"docker", 20}, {"podman-rootless", 8}} {
		t.Run(c.name, func(t *testing.T) { testKilledStarts(t, connect(t, c.name), c.kills) })
	}
}

// person is a uid with an app of its own.
type person struct{ uid, body string }

func testKilledStarts(t *testing.T, e *engine, kills int) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	d := serve(t, e, settings{
		"SAGE_CATALOG": tinyCatalog(t, e), "CONTAINER_NO_CLIENT_TIMEOUT": "1h", "SAGE_FIRST_CLIENT_GRACE": "1h",
	})
	var people []person
	for i, uid := range uids("churn", 8) {
		body := startTiny
		if i%2 == 1 {
			body = startTinyHome
		}
		people = append(people, person{uid, body})
		d.know(uid)
	}
	const busy = 5 // The others look on, and keep what they have.
	began := time.Now()
	urls := d.startPeople(t, people)
	span := time.Since(began)
	var longest time.Duration
	for kill := range kills {
		random.Shuffle(len(people), func(i, j int) {
			people[i], people[j] = people[j], people[i]
		})
		before := d.containerOf(t)
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		for _, p := range people[:busy] {
			own := rand.New(rand.NewPCG(seed, random.Uint64()))
			work.Go(func() { d.churn(ctx, p, own) })
		}
		<-time.After(time.Duration(random.Int64N(int64(span)))) // Any instant will do.
		d.end(syscall.SIGKILL)
		cancel()
		work.Wait()
		d.checkSettings(t)
		d.run()
		longest = max(longest, d.awaitSettled(t))
		d.checkNoLeftovers(t)
		found := d.startPeople(t, people)
		after := d.containerOf(t)
		for _, p := range people[busy:] {
			if before[p.uid] == "" || after[p.uid] != before[p.uid] || found[p.uid] != urls[p.uid] {
				t.Errorf("kill %d: %s had container %q at %s and has %q at %s", kill, p.uid,
					before[p.uid], urls[p.uid], after[p.uid], found[p.uid])
			}
		}
		urls = found
		for _, p := range people {
			d.greets(t, p.uid, urls[p.uid])
		}
		if len(after) != len(people) {
			t.Errorf("kill %d: %d containers for %d people", kill, len(after), len(people))
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d kills within %s of a start or stop; all was in order after %s at the latest", kills, span, longest)
}

// startPeople starts everybody's desktop and gives the addresses by uid.
func (d *daemon) startPeople(t *testing.T, people []person) map[string]string {
	t.Helper()
	uidsOf := map[string][]string{}
	for _, p := range people {
		uidsOf[p.body] = append(uidsOf[p.body], p.uid)
	}
	urls := map[string]string{}
	for body, uids := range uidsOf {
		for i, url := range d.startAll(t, body, uids) {
			urls[uids[i]] = url
		}
	}
	return urls
}

// churn stops and starts a desktop until the daemon is killed.
func (d *daemon) churn(ctx context.Context, p person, random *rand.Rand) {
	for ctx.Err() == nil {
		path := "/api/vm/" + p.uid
		if random.IntN(3) == 0 {
			path += "?purge=true"
		}
		if _, err := d.call(ctx, http.MethodDelete, path, ""); err != nil {
			return
		}
		if _, err := d.call(ctx, http.MethodPost, "/api/vm/any/"+p.uid, p.body); err != nil {
			return
		}
	}
}

// checkSettings reads what a killed daemon has left: every file of settings is
// whole.
func (d *daemon) checkSettings(t *testing.T) {
	t.Helper()
	for _, uid := range d.savedUIDs() {
		data, err := os.ReadFile(filepath.Join(d.dataDir, "sessions", uid+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var saved struct{ UID, App string }
		if err := json.Unmarshal(data, &saved); err != nil || saved.UID != uid || !strings.HasPrefix(saved.App, "tiny") {
			t.Errorf("settings of %s: %v: %s", uid, err, data)
		}
	}
}

// checkNoLeftovers looks for what a save that was cut off, or settings that
// could not be read, would leave.
func (d *daemon) checkNoLeftovers(t *testing.T) {
	t.Helper()
	for _, file := range d.files(t) {
		ours := file == "lock" || file == "key" || filepath.Ext(file) == ".json" || filepath.Dir(file) == "pictures" && filepath.Ext(file) == ".png"
		if !ours || strings.HasPrefix(filepath.Base(file), ".") {
			t.Errorf("the data directory holds %s", file)
		}
	}
	saved := map[string]bool{}
	for _, uid := range d.savedUIDs() {
		saved[uid] = true
	}
	for uid := range d.containerOf(t) {
		if !saved[uid] {
			t.Errorf("the container of %s has no settings", uid)
		}
	}
}
