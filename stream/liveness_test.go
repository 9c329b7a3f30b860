package stream

import (
	"testing"
	"time"
)

func TestLiveness(t *testing.T) {
	const timeout = 10 * time.Second
	type step struct {
		at time.Duration
		s  sighting
	}
	first := sighting{received: 100, taken: 1000, waiting: 5000}
	for _, tt := range []struct {
		name  string
		steps []step
		gone  bool // At the last step; never before.
	}{
		{"nothing happens", []step{{9 * time.Second, first}, {10 * time.Second, first}}, true},
		{"time is not up", []step{{9 * time.Second, first}}, false},
		{"it talks", []step{{9 * time.Second, sighting{101, 1000, 5000, false}}, {18 * time.Second, sighting{101, 1000, 5000, false}}}, false},
		{"it talked once", []step{{9 * time.Second, sighting{101, 1000, 5000, false}}, {19 * time.Second, sighting{101, 1000, 5000, false}}}, true},
		{"it takes what is before the ping", []step{{9 * time.Second, sighting{100, 2000, 4000, false}}, {18 * time.Second, sighting{100, 3000, 3000, false}}}, false},
		{"it has taken the ping", []step{{9 * time.Second, sighting{100, 6010, 0, false}}, {10 * time.Second, sighting{100, 6010, 0, false}}}, true},
		{"it takes far more than the ping", []step{{9 * time.Second, sighting{100, 6000 + bufferSize, 9000, false}}, {10 * time.Second, sighting{100, 7000 + bufferSize, 9000, false}}}, true},
		{"it is not listened to", []step{{9 * time.Second, sighting{100, 1000, 5000, true}}, {18 * time.Second, first}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Unix(1000, 0)
			l := newLiveness(start, timeout, first)
			for i, s := range tt.steps {
				want := tt.gone && i == len(tt.steps)-1
				if got := l.gone(start.Add(s.at), s.s); got != want {
					t.Errorf("gone after %v is %t, want %t", s.at, got, want)
				}
			}
		})
	}
}
