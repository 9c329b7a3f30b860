package session_test

import (
	"os"
	"testing"

	"sage/session"
)

// TestManyRounds starts and stops desktops again and again, in a range of ports
// that the first leak would make too small.
func TestManyRounds(t *testing.T) {
	const rounds, uids = 10_000, 4
	bubble(t, func(t *testing.T, b *bench) {
		before, _ := goroutinesOfBubble()
		each(uids, func(i int) {
			for range rounds / uids {
				s, err := b.Start(t.Context(), uidOf(i), session.Request{App: "desk"})
				if err != nil {
					t.Error(err)
					return
				}
				a, err := b.Attach(t.Context(), s.Token, "vnc")
				if err != nil {
					t.Error(err)
					return
				}
				a.Release()
				if err := b.Stop(t.Context(), uidOf(i), session.StopOptions{Purge: true}); err != nil {
					t.Error(err)
					return
				}
			}
		})
		b.pass(0)
		b.wantNothing()
		if after, stacks := goroutinesOfBubble(); after != before {
			t.Errorf("%d goroutines, %d before:\n%s", after, before, stacks)
		}
	}, func(b *bench) {
		b.opts.PortEnd = b.opts.PortStart + uids
		// Ten thousand times the disk's own time is no use to anybody.
		if dir, err := os.MkdirTemp("/dev/shm", "sage-test-"); err == nil {
			b.t.Cleanup(func() { os.RemoveAll(dir) })
			b.opts.DataDir = dir
		}
	})
}
