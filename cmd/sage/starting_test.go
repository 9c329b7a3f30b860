package main

import (
	"strings"
	"testing"

	"sage/httpapi/api"
)

// TestStarting: what a start does is told once, in the order in which it comes,
// and nothing of a desktop that runs.
func TestStarting(t *testing.T) {
	var out strings.Builder
	s := starting{uid: "alice", on: &lines{out: &out}}
	layer := api.Layer{ID: "abc", Status: "Downloading", Current: 1, Total: 2}
	for _, d := range []api.Desktop{
		{State: "absent"},
		{State: "occupied"},
		{State: "stopping"},
		{State: "preparing", Phase: "queued", QueuePosition: 2},
		{State: "preparing", Phase: "queued", QueuePosition: 1},
		{State: "preparing", Phase: "image"},
		{State: "preparing", Phase: "image", Image: &api.Image{Text: "Step 1/2"}},
		{State: "preparing", Phase: "image", Image: &api.Image{Text: "Downloading", Layers: []api.Layer{layer}}},
		{State: "preparing", Phase: "image", Image: &api.Image{Text: "Downloading", Layers: []api.Layer{layer}}},
		{State: "starting", Phase: "start"},
		{State: "starting", Phase: "ready"},
		{State: "ready"},
	} {
		if err := s.tell(d); err != nil {
			t.Fatal(err)
		}
	}
	const want = `alice: the one before it goes away
alice: place 2 among the starts that wait
alice: place 1 among the starts that wait
alice: its image is brought
alice: Step 1/2
alice: its image is brought
alice: abc Downloading
alice: its container is started
alice: it has to answer yet
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
