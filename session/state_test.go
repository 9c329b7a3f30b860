package session_test

import (
	"slices"
	"testing"

	"sage/session"
)

// golden is the table of a session's life, written by hand: a change of the
// code's own has to be made here, too, with thought.
func golden() map[session.State][]session.State {
	return map[session.State][]session.State{
		session.Absent:    {session.Preparing, session.Starting, session.Ready, session.Stopping},
		session.Preparing: {session.Starting, session.Stopping},
		session.Starting:  {session.Preparing, session.Ready, session.Stopping},
		session.Ready:     {session.Occupied, session.Stopping},
		session.Occupied:  {session.Ready, session.Stopping},
		session.Stopping:  {session.Absent, session.Failed},
		session.Failed:    {session.Absent},
	}
}

func TestEveryPairOfStates(t *testing.T) {
	table := golden()
	if len(table) != len(session.States()) {
		t.Fatalf("there are %d states, the table has %d", len(session.States()), len(table))
	}
	for _, from := range append(session.States(), "no such state") {
		for _, to := range append(session.States(), "no such state") {
			want := slices.Contains(table[from], to)
			if got := from.CanBecome(to); got != want {
				t.Errorf("%s -> %s: got %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestAbsentCanBeReachedFromEveryState(t *testing.T) {
	for _, from := range session.States() {
		seen := map[session.State]bool{from: true}
		todo := []session.State{from}
		for len(todo) > 0 && !seen[session.Absent] {
			for _, to := range session.States() {
				if todo[0].CanBecome(to) && !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
			todo = todo[1:]
		}
		if !seen[session.Absent] {
			t.Errorf("%s never ends", from)
		}
	}
}

func TestRunningStates(t *testing.T) {
	running := []session.State{session.Ready, session.Occupied}
	for _, s := range session.States() {
		if got, want := s.Running(), slices.Contains(running, s); got != want {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
}
