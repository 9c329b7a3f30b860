package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

const (
	// rounds is how many desktops come and go, warmRounds how many until the
	// daemon is as big as it gets.
	rounds, warmRounds = 200, 50
	// roundPeople is how many people take turns; the range has a port for each.
	roundPeople = 8
)

// TestRounds starts and stops desktops again and again in a range of ports that
// is as small as can be: nothing is used up.
func TestRounds(t *testing.T) {
	for _, name := range []string{"docker", "podman-rootless"} {
		t.Run(name, func(t *testing.T) { testRounds(t, connect(t, name)) })
	}
}

func testRounds(t *testing.T, e *engine) {
	first := strangers(t, roundPeople)
	d := serve(t, e, settings{
		"SAGE_CATALOG": tinyCatalog(t, e), "CONTAINER_NO_CLIENT_TIMEOUT": "1h", "SAGE_FIRST_CLIENT_GRACE": "1h",
		"PORT_RANGE_START": strconv.Itoa(first), "PORT_RANGE_END": strconv.Itoa(first + roundPeople),
	})
	people := uids("round", roundPeople)
	d.comeAndGo(t, people, warmRounds)
	warm := d.size(t)
	d.comeAndGo(t, people, rounds-warmRounds)
	after := d.size(t)
	t.Logf("after %d rounds: %+v, after %d: %+v", warmRounds, warm, rounds, after)
	const files, threads, kilobytes = 8, 8, 16 << 10 // More than chance, less than one per ten rounds.
	if after.files > warm.files+files || after.threads > warm.threads+threads || after.kilobytes > warm.kilobytes+kilobytes {
		t.Errorf("the daemon has grown from %+v to %+v", warm, after)
	}
	if list := d.ownContainers(t); len(list) != 0 {
		t.Errorf("%d containers are left", len(list))
	}
	d.checkFiles(t, people)

	// Every port of the range is to be had, and there are no more.
	for i, url := range d.startAll(t, startTiny, people) {
		d.greets(t, people[i], url)
	}
	d.ask(t, http.MethodPost, "/api/vm/any/one-more", startTiny).refused(t, http.StatusServiceUnavailable, "ports_exhausted")
	for _, uid := range people {
		d.stop(t, uid)
	}
	d.checkFiles(t, nil)
}

// comeAndGo starts and stops so many desktops, some of them at the same time.
func (d *daemon) comeAndGo(t *testing.T, people []string, times int) {
	t.Helper()
	var work errgroup.Group
	for worker := range tinyAtOnce {
		work.Go(func() error {
			for round := worker; round < times; round += tinyAtOnce {
				uid := people[round%len(people)] // No two workers have one in common.
				a, err := d.call(t.Context(), http.MethodPost, "/api/vm/any/"+uid, startTiny)
				if err != nil {
					return fmt.Errorf("round %d: start of %s: %w", round, uid, err)
				}
				if a.status != http.StatusOK {
					return fmt.Errorf("round %d: start of %s: status %d: %s", round, uid, a.status, a.body)
				}
				a, err = d.call(t.Context(), http.MethodDelete, "/api/vm/"+uid, "")
				if err != nil {
					return fmt.Errorf("round %d: stop of %s: %w", round, uid, err)
				}
				if a.status != http.StatusNoContent {
					return fmt.Errorf("round %d: stop of %s: status %d: %s", round, uid, a.status, a.body)
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
}

// size is how much of the machine a daemon uses.
type size struct{ files, threads, kilobytes int }

func (d *daemon) size(t *testing.T) size {
	t.Helper()
	http.DefaultClient.CloseIdleConnections() // The test's own.
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	s := size{files: len(files)}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n := 0
		_, _ = fmt.Sscan(value, &n) // Other lines have other values.
		switch name {
		case "Threads":
			s.threads = n
		case "VmRSS":
			s.kilobytes = n
		}
	}
	if s.threads == 0 || s.kilobytes == 0 {
		t.Fatalf("the size of process %d is not to be read:\n%s", d.process.Pid, status)
	}
	return s
}
