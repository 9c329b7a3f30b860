package session_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// plant puts a container onto the engine that an earlier daemon may have made.
func (b *bench) plant(name string, labels map[string]string, start bool) runtime.ID {
	b.t.Helper()
	b.planted++
	id, err := b.engine.Create(b.t.Context(), runtime.Spec{
		Name: name, Image: image, Labels: labels,
		Ports: []runtime.PortBinding{{ContainerPort: vncPort, HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: uint16(20000 + b.planted)}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if start {
		if err := b.engine.Start(b.t.Context(), id); err != nil {
			b.t.Fatal(err)
		}
	}
	return id
}

func TestRecoverAdoptsRunningDesktops(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		before := map[string]session.Session{}
		for i := range 20 {
			before[uidOf(i)] = b.start(uidOf(i))
		}
		leases := b.Leases()
		held := b.attach(before[uidOf(0)].Token)
		b.halt()
		if held.Context().Err() == nil {
			t.Error("the stream goes on without its daemon")
		}
		held.Release()
		b.pass(time.Hour) // Nobody watches the clock meanwhile.
		b.apps = &catalog.Catalog{Apps: []catalog.App{desk("other")}}
		if sum := b.boot(); sum != (session.Summary{Adopted: 20}) {
			t.Errorf("found %+v", sum)
		}
		for uid, was := range before {
			is, err := b.Get(uid)
			if err != nil || is.State != session.Ready || is.Token != was.Token || is.App != was.App || is.Container != was.Container {
				t.Errorf("%s was %+v and is %+v, %v", uid, was, is, err)
			}
			if s, err := b.Start(t.Context(), uid, session.Request{App: "other"}); err != nil || s.Token != was.Token {
				t.Errorf("start gives %+v, %v", s, err)
			}
			a := b.attach(was.Token) // The endpoint is known although the app has left the catalog.
			if conn, err := a.Dial(t.Context()); err != nil {
				t.Error(err)
			} else {
				conn.Close()
			}
			a.Release()
		}
		if got := b.Leases(); !maps.Equal(got, leases) {
			t.Errorf("leases were %v and are %v", leases, got)
		}
		b.pass(idle + time.Second)
		b.wantContainers()
		if len(b.Leases()) != 0 {
			t.Errorf("leases %v", b.Leases())
		}
	})
}

func TestRecoverLetsTheFirstClientComeAgain(t *testing.T) {
	bubble(t, func(_ *testing.T, b *bench) {
		b.start("alice")
		b.pass(grace - time.Second)
		b.reboot()
		b.pass(grace - time.Second)
		b.wantState("alice", session.Ready)
		b.pass(2 * time.Second)
		b.wantState("alice", session.Absent)
	})
}

// TestLifetimeGoesOn over a restart of the daemon, where the idle clock begins
// anew.
func TestLifetimeGoesOn(t *testing.T) {
	bubble(t, func(_ *testing.T, b *bench) {
		token := b.start("alice").Token
		held := b.attach(token)
		b.pass(40 * time.Minute)
		held.Release()
		b.reboot()
		held = b.attach(token)
		defer held.Release()
		b.pass(19 * time.Minute)
		b.wantState("alice", session.Occupied)
		b.pass(2 * time.Minute)
		b.wantState("alice", session.Absent)
	}, func(b *bench) { b.opts.MaxLifetime = time.Hour })
}

// TestHalfMadeDesktopIsFinished: one that has not answered yet when its daemon
// is killed is waited for by the next one.
func TestHalfMadeDesktopIsFinished(t *testing.T) {
	for name, test := range map[string]struct {
		program fake.Program
		want    session.State
	}{
		"it answers in the end": {fake.SlowVNC(vncPort, 5*time.Second), session.Ready},
		"it never answers":      {fake.Silent(vncPort), session.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.engine.SetImage(image, fake.Image{Program: test.program})
				b.startSoon("alice", session.Request{App: "desk"})
				b.pass(time.Second)
				b.kill()
				if sum := b.boot(); sum != (session.Summary{Adopted: 1}) {
					t.Errorf("found %+v", sum)
				}
				b.wantState("alice", session.Starting)
				waiting := b.startSoon("alice", session.Request{App: "desk"})
				out := <-waiting
				b.wantState("alice", test.want)
				if test.want == session.Ready {
					if out.err != nil || out.session.Token == "" {
						t.Errorf("got %+v, %v", out.session, out.err)
					}
					return
				}
				failureOf(t, out.err)
				b.wantContainers()
				if got := b.engine.Volumes(); len(got) != 1 {
					t.Errorf("homes %q: who made it is not known any more", got)
				}
			})
		})
	}
}

// TestEventsAreHeeded: an end is noticed at once, and by the next round where
// the events have ended, too.
func TestEventsAreHeeded(t *testing.T) {
	bubble(t, func(_ *testing.T, b *bench) {
		b.start("alice")
		b.engine.Kill(b.container("alice").ID, 1, false)
		b.pass(0)
		b.wantState("alice", session.Failed)

		b.start("alice")
		b.engine.Fail(fake.OpEvents, 0, runtime.ErrUnavailable)
		b.engine.EndEvents()
		b.pass(0)
		b.engine.Kill(b.container("alice").ID, 1, false)
		b.pass(0)
		b.wantState("alice", session.Ready)
		b.pass(reconcile)
		b.wantState("alice", session.Failed)

		b.engine.Heal()
		b.pass(reconcile)
		b.start("alice")
		b.engine.Vanish(b.container("alice").ID)
		b.pass(0)
		b.wantState("alice", session.Failed)
	})
}

// TestDeathOfTheDaemon hangs the engine at a step of a start, ends the daemon
// there, and looks at what the next one makes of it.
func TestDeathOfTheDaemon(t *testing.T) {
	for _, op := range []string{fake.OpCreate, fake.OpStart, fake.OpDial} {
		t.Run(op, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.engine.Hang(op, 1)
				waiting := b.startSoon("alice", session.Request{App: "desk"})
				b.pass(time.Second)
				b.reboot()
				if out := <-waiting; !errors.Is(out.err, session.ErrClosing) {
					t.Errorf("got %v", out.err)
				}
				b.wantNothing()
				b.start("alice")
			})
		})
	}
}

func TestRecoverClearsAwayHalfMadeOnes(t *testing.T) {
	var log strings.Builder // The Manager reports one round at a time.
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alive")
		labels := func(uid string) map[string]string {
			return b.Authentic(b.container("alive").Labels, uid, true)
		}
		b.halt()
		b.plant("collab-vm-created", labels("created"), false)
		b.engine.Kill(b.plant("collab-vm-exited", labels("exited"), true), 1, false)
		damaged := labels("damaged")
		damaged["io.sage.endpoints"] = "?"
		b.plant("collab-vm-damaged", damaged, true)
		future := labels("future")
		future["io.sage.version"] = "3"
		b.plant("collab-vm-future", future, true)
		other := labels("other")
		other["io.sage.instance"] = "two"
		b.plant("collab-vm-other", other, false)
		renamed := labels("renamed")
		renamed["io.sage.base-name"] = "their-vm-"
		b.plant("their-vm-renamed", renamed, false)
		b.plant("collab-vm-stranger", nil, false)
		left := []string{"collab-vm-alive", "collab-vm-damaged", "collab-vm-future", "collab-vm-other", "collab-vm-stranger", "their-vm-renamed"}

		if sum := b.boot(); sum != (session.Summary{Adopted: 1, Removed: 2, Damaged: 2, Foreign: 1}) {
			t.Errorf("found %+v", sum)
		}
		b.wantContainers(left...)
		if sum, err := b.Reconcile(t.Context()); err != nil || sum.Damaged != 2 {
			t.Errorf("the next round found %+v, %v", sum, err)
		}
		for _, name := range []string{"collab-vm-damaged", "collab-vm-future"} {
			if n := strings.Count(log.String(), "container="+name); n != 1 {
				t.Errorf("%s was reported %d times, want once:\n%s", name, n, log.String())
			}
		}
		if n := strings.Count(log.String(), "collab-vm-stranger"); n != 1 {
			t.Errorf("the stranger was reported %d times, want once:\n%s", n, log.String())
		}
		if got := b.List(); len(got) != 1 || got[0].UID != "alive" {
			t.Errorf("list %+v", got)
		}
		b.pass(time.Hour)
		b.wantContainers(left[1:]...)
	}, func(b *bench) { b.opts.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
}

// TestLateContainerOfAFailedStart: a call whose answer was lost may be carried out
// after all. What it makes is nobody's, and goes.
func TestLateContainerOfAFailedStart(t *testing.T) {
	for _, running := range []bool{false, true} {
		bubble(t, func(_ *testing.T, b *bench) {
			b.start("alice")
			labels := b.container("alice").Labels
			b.engine.Vanish(b.container("alice").ID)
			b.pass(0)
			b.wantState("alice", session.Failed)
			b.plant("collab-vm-alice", labels, running)
			b.pass(reconcile)
			b.wantState("alice", session.Failed)
			b.wantContainers()
		})
	}
}

func TestRecoverWithoutEngine(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		token := b.start("alice").Token
		b.halt()
		b.engine.Unavailable(true)
		b.boot()
		if _, err := b.Recover(t.Context()); !errors.Is(err, runtime.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		b.engine.Unavailable(false)
		b.pass(reconcile)
		b.attach(token).Release()
	})
}

// TestNoStartBeforeTheDesktopsAreKnown: where the next daemon cannot see at once
// what runs, nobody gets a desktop beyond the limit, and nobody's own is taken for a
// half-made one and replaced.
func TestNoStartBeforeTheDesktopsAreKnown(t *testing.T) {
	for _, c := range []struct {
		name string
		ail  func(e *fake.Runtime)
		// bob is why another one gets no desktop meanwhile.
		bob error
	}{
		{"the engine does not answer for one", func(e *fake.Runtime) {
			e.Fail(fake.OpInspect, 0, errors.New("injected"))
		}, session.ErrAtCapacity},
		{"it was away, and they answer slowly", func(e *fake.Runtime) {
			e.Fail(fake.OpList, 1, errors.New("injected"))
			e.Delay(fake.OpDial, 700*time.Millisecond)
		}, runtime.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				token := b.start("alice").Token
				b.halt()
				b.Unanswer("alice") // So that it is looked at.
				c.ail(b.engine)
				b.boot()
				refused := func(uid string, want error) {
					t.Helper()
					if out := <-b.startSoon(uid, session.Request{App: "desk"}); !errors.Is(out.err, want) {
						t.Errorf("start of %s: got %v, want %v", uid, out.err, want)
					}
				}
				refused("alice", runtime.ErrUnavailable)
				b.pass(100 * time.Millisecond) // It has been asked again.
				refused("alice", runtime.ErrUnavailable)
				refused("bob", c.bob)
				if err := b.Stop(t.Context(), "alice", session.StopOptions{}); !errors.Is(err, runtime.ErrUnavailable) {
					t.Errorf("stop: %v", err)
				}
				b.engine.Heal()
				b.pass(reconcile)
				refused("bob", session.ErrAtCapacity)
				b.attach(token).Release()
				b.wantContainers("collab-vm-alice")
			}, func(b *bench) { b.opts.MaxDesktops = 1 })
		})
	}
}

// pausing is an engine of which all containers are frozen.
type pausing struct{ runtime.Runtime }

func (p pausing) Inspect(ctx context.Context, id runtime.ID) (runtime.Container, error) {
	c, err := p.Runtime.Inspect(ctx, id)
	c.State = runtime.StatePaused
	return c, err
}

func TestPausedDesktopIsAdopted(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice")
		b.halt()
		m, err := session.New(pausing{b.engine}, b.opts)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close(context.Background())
		if sum, err := m.Recover(t.Context()); err != nil || sum != (session.Summary{Adopted: 1}) {
			t.Errorf("found %+v, %v", sum, err)
		}
		b.wantContainers("collab-vm-alice")
	})
}

func TestReconcileNoticesTheEnd(t *testing.T) {
	tests := []struct {
		name string
		end  func(b *bench, id runtime.ID)
		want func(f *session.StartError) bool
		text string
	}{
		{"exit", func(b *bench, id runtime.ID) { b.engine.Kill(id, 7, false) },
			func(f *session.StartError) bool { return f.Exited && f.ExitCode == 7 && !f.OOMKilled }, "exit code 7"},
		{"out of memory", func(b *bench, id runtime.ID) { b.engine.Kill(id, 137, true) },
			func(f *session.StartError) bool { return f.Exited && f.OOMKilled }, "limits.memory"},
		{"removed by hand", func(b *bench, id runtime.ID) { b.engine.Vanish(id) },
			func(f *session.StartError) bool { return !f.Exited && f.Err != nil }, "removed by somebody else"},
	}
	for _, test := range tests {
		for _, occupied := range []bool{false, true} {
			name := test.name + "/ready"
			if occupied {
				name = test.name + "/occupied"
			}
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T, b *bench) {
					s := b.start("alice")
					other := b.start("bob")
					held := b.attach(other.Token)
					defer held.Release()
					if occupied {
						a := b.attach(s.Token)
						defer a.Release()
					}
					test.end(b, b.container("alice").ID)
					b.pass(reconcile)
					b.wantState("alice", session.Failed)
					got, _ := b.Get("alice")
					if f := got.Failure; f == nil || f.Phase != session.PhaseRunning || !test.want(f) || !strings.Contains(f.Error(), test.text) {
						t.Errorf("failure %v", got.Failure)
					}
					b.wantState("bob", session.Occupied)
					b.wantContainers("collab-vm-bob")
					if len(b.Leases()) != 1 {
						t.Errorf("leases %v", b.Leases())
					}
					if _, err := b.Attach(t.Context(), s.Token, "vnc"); !errors.Is(err, session.ErrUnknownStream) {
						t.Errorf("old token: %v", err)
					}
					if again := b.start("alice"); again.Token == s.Token {
						t.Error("the token is the old one")
					}
				})
			})
		}
	}
}

func TestEngineIsAwayForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s := b.start("alice")
		a := b.attach(s.Token)
		defer a.Release()
		b.engine.Unavailable(true)
		if _, err := b.Ping(t.Context()); !errors.Is(err, runtime.ErrUnavailable) {
			t.Errorf("ping: %v", err)
		}
		if _, err := b.Start(t.Context(), "bob", session.Request{App: "desk"}); !errors.Is(err, runtime.ErrUnavailable) {
			t.Errorf("start: %v", err)
		}
		b.pass(10 * time.Minute)
		b.wantState("alice", session.Occupied)
		b.engine.Unavailable(false)
		b.pass(time.Minute)
		b.wantState("alice", session.Occupied)
		b.start("bob")
	})
}

func TestClose(t *testing.T) {
	t.Run("desktops go on and starts end", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alive")
			b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)})
			waiting := b.startSoon("starting", session.Request{App: "desk"})
			b.pass(time.Second)
			b.halt()
			if out := <-waiting; !errors.Is(out.err, session.ErrClosing) {
				t.Errorf("a start that was under way got %v", out.err)
			}
			for _, uid := range []string{"alive", "starting", "new"} {
				if _, err := b.Start(t.Context(), uid, session.Request{App: "desk"}); !errors.Is(err, session.ErrClosing) {
					t.Errorf("start %s: %v", uid, err)
				}
			}
			if err := b.Stop(t.Context(), "alive", session.StopOptions{}); !errors.Is(err, session.ErrClosing) {
				t.Errorf("stop: %v", err)
			}
			b.wantContainers("collab-vm-alive")
			b.pass(time.Hour)
			b.wantContainers("collab-vm-alive")
		})
	})
	t.Run("a stop that has begun is carried out", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			b.engine.Delay(fake.OpRemove, 2*time.Second)
			stopped := b.stopSoon("alice", session.StopOptions{})
			b.pass(time.Second)
			waiting := b.startSoon("alice", session.Request{App: "desk"})
			b.pass(0)
			b.halt()
			if err := <-stopped; err != nil {
				t.Error(err)
			}
			if out := <-waiting; !errors.Is(out.err, session.ErrClosing) {
				t.Errorf("got %v", out.err)
			}
			b.wantContainers()
		})
	})
	t.Run("the engine is away", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			b.engine.Unavailable(true)
			stopped := b.stopSoon("alice", session.StopOptions{})
			b.pass(time.Second)
			s, err := b.Get("alice")
			if err != nil {
				t.Fatal(err)
			}
			waiting := b.startSoon("alice", session.Request{App: "desk"})
			b.pass(time.Second)
			b.halt()
			b.pass(0)
			if err := <-stopped; !errors.Is(err, runtime.ErrUnavailable) {
				t.Errorf("stop: %v", err)
			}
			// Where the outage was noticed before the stop, that was refused, and the desktop is handed out.
			if err := (<-waiting).err; s.State.Running() && err != nil || !s.State.Running() && !errors.Is(err, runtime.ErrUnavailable) {
				t.Errorf("start of a desktop that was %s: %v", s.State, err)
			}
			b.engine.Unavailable(false)
			b.boot()
			b.wantState("alice", session.Ready)
		})
	})
	t.Run("the context ends first", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			b.engine.Hang(fake.OpRemove, 1)
			stopped := b.stopSoon("alice", session.StopOptions{})
			b.pass(time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if err := <-stopped; !errors.Is(err, session.ErrClosing) {
				t.Errorf("stop: %v", err)
			}
		})
	})
}
