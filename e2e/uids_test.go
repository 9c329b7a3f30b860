package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
)

// testExactUIDs: a part of a uid, or a pattern that it matches, finds nothing.
func testExactUIDs(t *testing.T, e *engine) {
	d := serve(t, e, nil)
	const uid = "alice-2f9c"
	s := d.start(t, uid, `{"vm":"desktop"}`)
	for _, other := range []string{"a", "alice", ".*", "alice-2f9", "alice-2f9c0", "lice-2f9c", "ALICE-2F9C", "alice.2f9c", "alice-%", "*", "^alice"} {
		path := url.PathEscape(other)
		for _, call := range []struct{ method, path, body string }{
			{http.MethodGet, "/api/vm/ws/" + path, ""},
			{http.MethodGet, "/api/vm/" + path, ""},
			{http.MethodDelete, "/api/vm/" + path, ""},
			{http.MethodDelete, "/api/vm/" + path + "?purge=true", ""},
			{http.MethodPost, "/api/vm/any/" + path, `{}`},
		} {
			a := d.ask(t, call.method, call.path, call.body)
			if a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %s: status %d, want 404 or 422: %s", call.method, call.path, a.status, a.body)
			}
		}
	}
	var found struct {
		URL string `json:"url"`
	}
	d.ask(t, http.MethodGet, "/api/vm/ws/"+uid, "").decode(t, &found)
	if found.URL != s.URL {
		t.Errorf("the desktop itself is at %q, want %q", found.URL, s.URL)
	}
	if !e.hasVolume(t, d.volume(uid)) {
		t.Error("its home is gone")
	}
	a := d.ask(t, http.MethodGet, "/api/vm/ws/alice", "")
	if p := a.refused(t, http.StatusNotFound, "not_running"); p.Details != "container not running" {
		t.Errorf("details %q, want %q", p.Details, "container not running")
	}
}
