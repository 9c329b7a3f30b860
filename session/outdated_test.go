package session_test

import (
	"testing"

	"sage/catalog"
	"sage/session"
)

// TestOutdated: a desktop keeps what it was started with, over a restart, too; it says when the catalog has something
// else by now, and its next start takes that.
func TestOutdated(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice")
		want := func(outdated bool) {
			t.Helper()
			s, err := b.Get("alice")
			if err != nil || s.Outdated != outdated {
				t.Errorf("outdated %v, want %v (%v)", s.Outdated, outdated, err)
			}
			if all := b.List(); len(all) != 1 || all[0].Outdated != outdated {
				t.Errorf("in the list: %+v", all)
			}
		}
		want(false)
		was := b.container("alice")

		words := desk("desk")
		words.Title = "Another title"
		b.apps = &catalog.Catalog{Apps: []catalog.App{words}}
		want(false)

		other := desk("desk")
		other.Env = map[string]string{"THEME": "dark"}
		b.apps = &catalog.Catalog{Apps: []catalog.App{other}}
		want(true)
		b.reboot()
		want(true)
		if is := b.container("alice"); is.ID != was.ID {
			t.Error("the desktop was replaced")
		}

		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		b.start("alice")
		want(false)

		b.apps = &catalog.Catalog{}
		want(true) // Its app is gone.
	})
}

// TestOutdatedUnknown: of a container that an older sage made, nothing is claimed.
func TestOutdatedUnknown(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice")
		labels := b.container("alice").Labels
		delete(labels, "io.sage.spec")
		labels = b.Authentic(labels, "bob", true)
		b.plant("collab-vm-bob", labels, true)
		b.reboot()
		if s, err := b.Get("bob"); err != nil || s.State != session.Ready || s.Outdated {
			t.Errorf("got %+v, %v", s, err)
		}
	})
}
