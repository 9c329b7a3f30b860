package session_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"sage/catalog"
	"sage/runtime/fake"
	"sage/session"
)

// BenchmarkAdopt measures how long a new daemon takes to find the desktops of
// its predecessor, on an engine that answers at once.
func BenchmarkAdopt(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d desktops", n), func(b *testing.B) {
			engine := fake.New(fake.Options{Images: map[string]fake.Image{image: {Program: fake.VNC(vncPort)}}})
			defer engine.Reset()
			apps := &catalog.Catalog{Version: 1, Apps: []catalog.App{desk("desk")}}
			opts := session.Options{
				Catalog: func() *catalog.Catalog { return apps },
				DataDir: b.TempDir(), BaseName: "collab-vm-", Instance: "one",
				PublishIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), PortStart: 11000, PortEnd: 11000 + 2*n,
				StartTimeout: startTimeout, ImageTimeout: imageTimeout, StartsAtOnce: 1000, QueueTimeout: time.Minute, FirstClientGrace: grace, IdleTimeout: idle,
				StopGrace: stopGrace, ReconcileInterval: reconcile, Logger: slog.New(slog.DiscardHandler),
			}
			manager := func() *session.Manager {
				m, err := session.New(engine, opts)
				if err != nil {
					b.Fatal(err)
				}
				return m
			}
			first := manager()
			each(n, func(i int) {
				if _, err := first.Start(b.Context(), uidOf(i), session.Request{App: "desk"}); err != nil {
					b.Error(err)
				}
			})
			if err := first.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m := manager()
				began := time.Now()
				sum, err := m.Recover(b.Context())
				b.ReportMetric(float64(time.Since(began).Microseconds())/float64(n), "µs/desktop")
				if err != nil || sum.Adopted != n {
					b.Fatalf("found %+v, %v", sum, err)
				}
				if err := m.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
