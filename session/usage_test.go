package session_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// burns is a desktop that uses half a core.
func burns(ctx context.Context, p *fake.Process) int {
	p.Burn(time.Hour) // While it came up.
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.Burn(5 * time.Millisecond)
			case <-ctx.Done():
				return
			}
		}
	}()
	return fake.VNC(vncPort)(ctx, p)
}

func TestUsage(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		if _, err := b.Usage(t.Context(), "alice"); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
		b.start("alice")
		b.pass(time.Second)
		for _, test := range []struct {
			name          string
			since, during time.Duration
		}{
			{"nobody has asked", 0, 250 * time.Millisecond},
			{"a moment later", 100 * time.Millisecond, 150 * time.Millisecond},
			{"some time later", 5 * time.Second, 0},
			{"long after", 2 * time.Minute, 250 * time.Millisecond},
		} {
			b.pass(test.since)
			begun := time.Now()
			u, err := b.Usage(t.Context(), "alice")
			if err != nil || math.Abs(u.CPUPercent-50) > 3 || u.CPU < time.Hour || u.MemoryBytes <= 0 || u.PIDs != 1 {
				t.Errorf("%s: %+v, %v", test.name, u, err)
			}
			if took := time.Since(begun); took != test.during {
				t.Errorf("%s: it took %s, want %s", test.name, took, test.during)
			}
		}
		b.engine.Vanish(b.container("alice").ID)
		if _, err := b.Usage(t.Context(), "alice"); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("got %v", err)
		}
	}, func(b *bench) {
		b.engine = fake.New(fake.Options{
			Images: map[string]fake.Image{image: {Program: burns}}, Capabilities: runtime.Capabilities{Stats: true},
		})
		b.opts.FirstClientGrace = time.Hour
	})
}

func TestUsageOfAnEngineThatDoesNotCount(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice")
		if _, err := b.Usage(t.Context(), "alice"); !errors.Is(err, runtime.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}
