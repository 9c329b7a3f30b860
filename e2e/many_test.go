package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// atOnce is how many starts are made at the same time.
const atOnce = 10

// testOneUID makes one container of ten starts.
func testOneUID(t *testing.T, e *engine) {
	d := serve(t, e, nil)
	d.know("crowd")
	answers := make([]answer, atOnce)
	d.together(t, func(i int) error {
		var err error
		answers[i], err = d.call(t.Context(), http.MethodPost, "/api/vm/any/crowd", `{"vm":"desktop"}`)
		return err
	})
	urls := map[string]bool{}
	for i, a := range answers {
		var s started
		if a.status != http.StatusOK {
			t.Errorf("start %d: status %d: %s", i, a.status, a.body)
			continue
		}
		a.decode(t, &s)
		urls[s.URL] = true
	}
	if len(urls) != 1 {
		t.Errorf("the starts got %d addresses, want one: %v", len(urls), urls)
	}
	if list := e.containers(t.Context(), t, d.instance, ""); len(list) != 1 {
		t.Errorf("%d containers, want 1: %+v", len(list), list)
	}
}

// testManyUIDs brings ten desktops up at once, while others ask other things.
func testManyUIDs(t *testing.T, e *engine) {
	d := serve(t, e, settings{"SAGE_FIRST_CLIENT_GRACE": "5m"})
	d.start(t, "bystander", `{"vm":"desktop"}`)

	first := make(chan struct{}) // closed when the first start has ended
	var once sync.Once
	var asking sync.WaitGroup
	paths := []string{"/api/vm/ws/bystander", "/api/vm/list", "/api/vm/bystander", "/healthz", "/api/catalog"}
	answered := make([]int, len(paths))
	for i, path := range paths {
		asking.Go(func() {
			for {
				a, err := d.call(t.Context(), http.MethodGet, path, "")
				if err != nil || a.status != http.StatusOK {
					t.Errorf("GET %s during starts: %v, status %d: %s", path, err, a.status, a.body)
					return
				}
				select {
				case <-first:
					return
				case <-time.After(10 * time.Millisecond):
					answered[i]++
				}
			}
		})
	}
	urls := make([]string, atOnce)
	uid := func(i int) string { return fmt.Sprintf("person-%d", i) }
	d.together(t, func(i int) error {
		defer once.Do(func() { close(first) })
		d.know(uid(i))
		a, err := d.call(t.Context(), http.MethodPost, "/api/vm/any/"+uid(i), `{"vm":"desktop"}`)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("start of %s: status %d: %s", uid(i), a.status, a.body)
		}
		var s started
		err = json.Unmarshal([]byte(a.body), &s)
		urls[i] = s.URL
		return err
	})
	asking.Wait()
	for i, path := range paths {
		t.Logf("%s was answered %d times before the first of %d starts had ended", path, answered[i], atOnce)
		if answered[i] == 0 {
			t.Errorf("GET %s waited for a start", path)
		}
	}
	if n := len(e.containers(t.Context(), t, d.instance, "")); n != atOnce+1 {
		t.Errorf("%d containers, want %d", n, atOnce+1)
	}
	for i, url := range urls {
		if url != "" { // Else its start has failed, and said so.
			d.watch(t, url, "vnc").await(t, uid(i), showsTerminal)
		}
	}
}

// together runs a call ten times at the same time. The call must not end the
// test.
func (d *daemon) together(t *testing.T, call func(i int) error) {
	t.Helper()
	var work sync.WaitGroup
	for i := range atOnce {
		work.Go(func() {
			if err := call(i); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
}

// testStartsInARow finds desktops that stay black now and then.
func testStartsInARow(t *testing.T, e *engine) {
	times := 10
	if e.name == "docker" {
		times = 50
	}
	d := serve(t, e, nil)
	var stopping sync.WaitGroup // An old desktop may go while the next one comes.
	defer stopping.Wait()
	for i := range times {
		uid := fmt.Sprintf("row-%d", i)
		s := d.start(t, uid, `{"vm":"desktop"}`)
		view := d.watch(t, s.URL, "vnc")
		view.await(t, uid, showsTerminal)
		if err := view.Close(); err != nil {
			t.Logf("close %s: %v", uid, err)
		}
		stopping.Wait()
		stopping.Go(func() { d.stop(t, uid) })
	}
}
