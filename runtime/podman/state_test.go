package podman

import (
	"slices"
	"testing"

	"sage/runtime"
)

func TestState(t *testing.T) {
	for word, want := range map[string]runtime.State{
		"configured":  runtime.StateCreated,
		"created":     runtime.StateCreated,
		"initialized": runtime.StateCreated,
		"running":     runtime.StateRunning,
		"paused":      runtime.StatePaused,
		"stopping":    runtime.StateStopping,
		"removing":    runtime.StateStopping,
		"stopped":     runtime.StateExited,
		"exited":      runtime.StateExited,
		"unknown":     runtime.StateExited,
	} {
		if got := state(word); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

func TestLabelFilters(t *testing.T) {
	got := labelFilters(map[string]string{"a": "b", "pattern": "*", "empty": ""})
	if !slices.Equal(got, []string{"a=b"}) {
		t.Errorf("got %q", got)
	}
}

func TestListensIn(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:170C 0100007F:1F91 01 00000000:00000000
`
	for port, want := range map[uint16]bool{8080: true, 5900: false, 8081: false} {
		if got := listensIn(table, port); got != want {
			t.Errorf("port %d: got %t", port, got)
		}
	}
}
