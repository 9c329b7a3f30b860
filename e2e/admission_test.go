package e2e_test

import (
	"net/http"
	"testing"

	"sage/httpapi/api"
)

// testAdmission: starts wait for each other, and there is no more room than there
// is.
func testAdmission(t *testing.T, e *engine) {
	d := serve(t, e, settings{
		"SAGE_CATALOG": smallCatalogWithHome(t, e), "SAGE_STARTS_AT_ONCE": "1", "SAGE_MAX_DESKTOPS": "3", "SAGE_FIRST_CLIENT_GRACE": "5m",
	})
	events := d.follow(t, "/api/events")
	answers := map[string]chan answer{}
	for i, uid := range []string{"a", "b", "c"} {
		d.know(uid)
		answered := make(chan answer, 1)
		answers[uid] = answered
		go func() {
			a, err := d.call(t.Context(), http.MethodPost, "/api/vm/any/"+uid, `{"vm":"slow"}`)
			if err != nil {
				t.Errorf("start of %s: %v", uid, err)
			}
			answered <- a
		}()
		events.until(uid+" has come", func(s api.Desktop) bool {
			waits := s.Phase == "queued" && s.QueuePosition == i && s.State == "preparing"
			return s.UID == uid && waits == (i > 0) && s.State != "absent"
		})
	}
	a := d.ask(t, http.MethodPost, "/api/vm/any/d", `{"vm":"slow"}`)
	a.refused(t, http.StatusServiceUnavailable, "at_capacity")
	var p api.Problem
	a.decode(t, &p)
	if p.Limit == nil || *p.Limit != (api.LimitMet{Name: "max_desktops", Limit: 3, Current: 3}) || a.header.Get("Retry-After") == "" {
		t.Errorf("got %s, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	// One that waits can be stopped, and makes room.
	if a := d.ask(t, http.MethodDelete, "/api/vm/b", ""); a.status != http.StatusNoContent {
		t.Errorf("stop: status %d: %s", a.status, a.body)
	}
	(<-answers["b"]).refused(t, http.StatusConflict, "stopped")
	events.until("c moves up", func(s api.Desktop) bool { return s.UID == "c" && s.QueuePosition < 2 })
	d.start(t, "d", `{"vm":"slow"}`)
	for _, uid := range []string{"a", "c"} {
		if a := <-answers[uid]; a.status != http.StatusOK {
			t.Errorf("start of %s: status %d: %s", uid, a.status, a.body)
		}
	}
	if list := e.containers(t.Context(), t, d.instance, ""); len(list) != 3 {
		t.Errorf("%d containers, want 3: %+v", len(list), list)
	}
}
