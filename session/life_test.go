package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// stopFault is what the engine does while a desktop is being stopped.
type stopFault struct {
	name string
	set  func(b *bench)
	// lasts is how long the stop takes at most.
	lasts time.Duration
}

func stopFaults() []stopFault {
	faults := []stopFault{{"a stubborn program", func(*bench) {}, stopGrace}}
	for _, op := range []string{fake.OpStop, fake.OpRemove} {
		faults = append(faults,
			stopFault{op + " is slow", func(b *bench) { b.engine.Delay(op, 3*time.Second) }, 10 * time.Second},
			stopFault{op + " hangs once", func(b *bench) { b.engine.Hang(op, 1) }, time.Minute},
			stopFault{op + " fails once", func(b *bench) { b.engine.Fail(op, 1, runtime.ErrUnavailable) }, 10 * time.Second},
			stopFault{op + " fails in a new way", func(b *bench) { b.engine.Fail(op, 1, errors.New("what?")) }, 10 * time.Second},
		)
	}
	return faults
}

// TestArrivalsDuringTheStop: whoever comes while a desktop is being stopped
// gets the next one, at any moment of the stop and whatever the engine does.
func TestArrivalsDuringTheStop(t *testing.T) {
	arrive := map[string]func(b *bench, token string) (string, error){
		"start": func(b *bench, _ string) (string, error) {
			s, err := b.Start(context.Background(), "alice", session.Request{App: "desk"})
			return s.Token, err
		},
		"start with saved settings": func(b *bench, _ string) (string, error) {
			s, err := b.Start(context.Background(), "alice", session.Request{})
			return s.Token, err
		},
		"attach": func(b *bench, token string) (string, error) {
			a, err := b.Attach(context.Background(), token, "vnc")
			if err != nil {
				return "", err
			}
			s, err := b.Get(a.UID)
			if err == nil && s.State != session.Occupied {
				err = fmt.Errorf("the attached desktop is %s", s.State)
			}
			return s.Token, err
		},
	}
	for _, fault := range stopFaults() {
		for how, call := range arrive {
			t.Run(fault.name+"/"+how, func(t *testing.T) {
				// The moments are spread over the whole stop.
				for moment := 0; ; moment++ {
					over := false
					bubble(t, func(t *testing.T, b *bench) {
						b.engine.SetImage(image, fake.Image{Program: fake.Stubborn(fake.VNC(vncPort))})
						old := b.start("alice").Token
						fault.set(b)
						stopped := b.stopSoon("alice", session.StopOptions{})
						b.pass(time.Duration(moment) * 1700 * time.Millisecond)
						if over = b.state("alice") == session.Absent; over {
							return
						}
						b.wantState("alice", session.Stopping)
						token, err := call(b, old)
						if err != nil {
							t.Fatalf("moment %d: %v", moment, err)
						}
						if token == "" || token == old {
							t.Errorf("moment %d: token %q after %q", moment, token, old)
						}
						if err := <-stopped; err != nil {
							t.Errorf("moment %d: stop: %v", moment, err)
						}
						b.wantContainers("collab-vm-alice")
						if len(b.Leases()) != 1 {
							t.Errorf("leases %v", b.Leases())
						}
					})
					if over {
						break
					}
					if moment > 100 {
						t.Fatal("the stop never ends")
					}
				}
			})
		}
	}
}

// TestArrivalsAtEveryInstantOfTheStop: the beginning and the end of each call that
// a stop makes to the engine.
func TestArrivalsAtEveryInstantOfTheStop(t *testing.T) {
	for how, arrive := range map[string]func(b *bench, token string) error{
		"start": func(b *bench, _ string) error {
			_, err := b.Start(context.Background(), "alice", session.Request{})
			return err
		},
		"attach": func(b *bench, token string) error {
			a, err := b.Attach(context.Background(), token, "vnc")
			if err == nil {
				defer a.Release()
			}
			return err
		},
	} {
		for _, purge := range []bool{false, true} {
			if purge && how == "attach" {
				continue // Its settings are gone: it leads nowhere any more.
			}
			t.Run(fmt.Sprintf("%s, purge %t", how, purge), func(t *testing.T) {
				instant := 1
				for reached := true; reached; instant++ {
					reached = false
					bubble(t, func(t *testing.T, b *bench) {
						token := b.start("alice").Token
						done := make(chan error, 1)
						b.process.atInstant(instant, func() {
							reached = true
							go func() {
								if how == "start" && purge {
									_, err := b.Start(context.Background(), "alice", session.Request{App: "desk"})
									done <- err
									return
								}
								done <- arrive(b, token)
							}()
							synctest.Wait() // Until it waits for the stop.
						})
						if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: purge}); err != nil {
							t.Errorf("instant %d: stop: %v", instant, err)
						}
						if !reached {
							return
						}
						if err := <-done; err != nil {
							t.Errorf("instant %d: %v", instant, err)
						}
						b.wantState("alice", session.Ready)
						b.wantContainers("collab-vm-alice")
					})
				}
				if instant < 6 {
					t.Errorf("there were only %d instants", instant-2)
				}
			})
		}
	}
}

// TestStopEndsAStart at every step of it.
func TestStopEndsAStart(t *testing.T) {
	tests := []struct {
		name string
		hang func(b *bench)
		in   session.State
	}{
		{"image", func(b *bench) { b.engine.RemoveImage(image); b.engine.Hang(fake.OpEnsureImage, 1) }, session.Preparing},
		{"create", func(b *bench) { b.engine.Hang(fake.OpCreate, 1) }, session.Preparing},
		{"start", func(b *bench) { b.engine.Hang(fake.OpStart, 1) }, session.Starting},
		{"ready", func(b *bench) { b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)}) }, session.Starting},
		{"ready and dial hangs", func(b *bench) { b.engine.Hang(fake.OpDial, 1) }, session.Starting},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				test.hang(b)
				var waiting []<-chan outcome
				for range 3 {
					waiting = append(waiting, b.startSoon("alice", session.Request{App: "desk"}))
				}
				b.pass(time.Second)
				b.wantState("alice", test.in)
				began := time.Now()
				if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("the stop took %s", took)
				}
				for _, w := range waiting {
					if out := <-w; !errors.Is(out.err, session.ErrStopped) {
						t.Errorf("got %v", out.err)
					}
				}
				b.wantState("alice", session.Absent)
				b.wantNothing()
				b.engine.SetImage(image, fake.Image{Program: fake.VNC(vncPort)})
				b.start("alice")
			})
		})
	}
}

// TestStopAtEveryInstantOfAStart: the start ends there, and leaves nothing.
func TestStopAtEveryInstantOfAStart(t *testing.T) {
	instant := 1
	for reached := true; reached; instant++ {
		reached = false
		bubble(t, func(t *testing.T, b *bench) {
			stopped := make(chan error, 1)
			b.process.atInstant(instant, func() {
				reached = true
				go func() { stopped <- b.Stop(context.Background(), "alice", session.StopOptions{}) }()
				synctest.Wait() // Until it waits for the end of the start.
			})
			_, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
			if !reached {
				return
			}
			if !errors.Is(err, session.ErrStopped) {
				t.Errorf("instant %d: start: %v", instant, err)
			}
			if err := <-stopped; err != nil {
				t.Errorf("instant %d: stop: %v", instant, err)
			}
			b.wantState("alice", session.Absent)
			b.wantNothing()
		})
	}
	if instant < 8 {
		t.Errorf("there were only %d instants", instant-2)
	}
}

// TestStoppedStartIsNotGivenUp: a container that cannot be removed now must not
// come back as a desktop later.
func TestStoppedStartIsNotGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.SetImage(image, fake.Image{Program: fake.SlowVNC(vncPort, 5*time.Second)})
		waiting := b.startSoon("alice", session.Request{App: "desk"})
		b.pass(time.Second)
		b.engine.Fail(fake.OpRemove, 0, runtime.ErrUnavailable)
		stopped := b.stopSoon("alice", session.StopOptions{})
		b.pass(0)
		b.engine.Unavailable(true)
		for name, got := range map[string]error{"start": (<-waiting).err, "stop": <-stopped} {
			if !errors.Is(got, runtime.ErrUnavailable) && !errors.Is(got, session.ErrStopped) {
				t.Errorf("%s: %v", name, got)
			}
		}
		b.pass(time.Minute)
		b.wantState("alice", session.Stopping)
		b.engine.Heal()
		b.pass(time.Minute)
		b.wantState("alice", session.Absent)
		b.wantNothing()
	})
}

// TestFailedStartIsClearedAwayLater when the engine was away at the time. Those
// who wait are not kept waiting for that.
func TestFailedStartIsClearedAwayLater(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)})
		waiting := b.startSoon("alice", session.Request{App: "desk"})
		b.pass(time.Second)
		b.engine.Unavailable(true)
		if out := <-waiting; !errors.Is(out.err, runtime.ErrUnavailable) {
			t.Errorf("got %v", out.err)
		}
		b.pass(startTimeout)
		b.wantState("alice", session.Stopping)
		b.wantContainers("collab-vm-alice")
		b.engine.Unavailable(false)
		b.pass(time.Minute)
		b.wantState("alice", session.Failed)
		b.wantNothing()
	})
}

// TestStopIsRetriedWhileTheEngineIsAway: it is carried out in the end, and who
// asks is told at once.
func TestStopIsRetriedWhileTheEngineIsAway(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice")
		b.engine.Fail(fake.OpStop, 0, runtime.ErrUnavailable)
		stopped := b.stopSoon("alice", session.StopOptions{})
		b.pass(time.Second)
		b.engine.Unavailable(true)
		b.pass(reconcile)
		for name, call := range map[string]func() error{
			"stop":           func() error { return <-stopped },
			"another stop":   func() error { return b.Stop(t.Context(), "alice", session.StopOptions{}) },
			"start":          func() error { _, err := b.Start(t.Context(), "alice", session.Request{}); return err },
			"stop of nobody": func() error { return b.Stop(t.Context(), "bob", session.StopOptions{Purge: true}) },
		} {
			if err := call(); !errors.Is(err, runtime.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.pass(10 * time.Minute)
		b.wantState("alice", session.Stopping)
		b.wantContainers("collab-vm-alice")
		b.engine.Heal()
		b.pass(time.Minute)
		b.wantState("alice", session.Absent)
		b.wantContainers()
	})
}

func TestStop(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s := b.start("alice")
		a := b.attach(s.Token)
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(context.Cause(a.Context()), session.ErrStopped) {
			t.Errorf("the client is told %v", context.Cause(a.Context()))
		}
		a.Release()
		a.Release()
		b.wantContainers()
		if got := b.files(); len(got) != 1 {
			t.Errorf("settings: %q", got)
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("second stop: %v", err)
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
			t.Errorf("purge of what does not run: %v", err)
		}
		b.wantNothing()
		if got := b.engine.Volumes(); len(got) != 0 {
			t.Errorf("volumes %q", got)
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); !errors.Is(err, session.ErrNotRunning) {
			t.Errorf("second purge: %v", err)
		}
	})
}

// TestPurgeAndStartAtOnce: a start that comes while what is kept of its uid is
// deleted waits for the end of that, so that nothing of its own is deleted.
func TestPurgeAndStartAtOnce(t *testing.T) {
	for _, before := range []session.State{session.Ready, session.Starting, session.Stopping, session.Absent, session.Failed} {
		t.Run(string(before), func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.start("alice")
				switch before {
				case session.Starting:
					if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
						t.Fatal(err)
					}
					b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)})
					b.startSoon("alice", session.Request{App: "desk"})
					b.pass(time.Second)
					b.engine.SetImage(image, fake.Image{Program: fake.VNC(vncPort)})
				case session.Stopping:
					b.engine.Delay(fake.OpRemove, time.Second)
					b.stopSoon("alice", session.StopOptions{})
					b.pass(0)
				case session.Absent:
					if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
						t.Fatal(err)
					}
				case session.Failed:
					b.engine.Kill(b.container("alice").ID, 1, false)
					b.pass(reconcile)
				}
				b.wantState("alice", before)
				b.engine.Delay(fake.OpRemoveVolume, 3*time.Second)
				purged := b.stopSoon("alice", session.StopOptions{Purge: true})
				b.pass(2 * time.Second)
				b.wantState("alice", session.Stopping)
				waiting := b.startSoon("alice", session.Request{App: "desk", Env: map[string]any{"SIZE": "2x2"}})
				if err := <-purged; err != nil {
					t.Error(err)
				}
				if out := <-waiting; out.err != nil || out.session.State != session.Ready {
					t.Errorf("start: %+v, %v", out.session, out.err)
				}
				if got := b.files(); len(got) != 1 {
					t.Errorf("settings: %q", got)
				}
				if got := b.engine.Volumes(); len(got) != 1 {
					t.Errorf("homes: %q", got)
				}
			})
		})
	}
}

// TestPurgeThatFails is told, and does not keep the uid from being used.
func TestPurgeThatFails(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice")
		b.engine.Fail(fake.OpRemoveVolume, 1, runtime.ErrConflict)
		if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); !errors.Is(err, runtime.ErrConflict) {
			t.Errorf("got %v", err)
		}
		b.wantState("alice", session.Absent)
		b.wantContainers()
		if got := b.files(); len(got) != 1 {
			t.Errorf("settings: %q", got)
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
			t.Error(err)
		}
		b.wantNothing()
	})
}

func TestIdle(t *testing.T) {
	const late = 200 * time.Millisecond
	t.Run("no client comes", func(t *testing.T) {
		bubble(t, func(_ *testing.T, b *bench) {
			b.start("alice")
			b.pass(grace - time.Millisecond)
			b.wantState("alice", session.Ready)
			b.pass(late)
			b.wantState("alice", session.Absent)
			b.wantContainers()
		})
	})
	t.Run("the last client leaves", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			token := b.start("alice").Token
			first, second := b.attach(token), b.attach(token)
			b.wantState("alice", session.Occupied)
			if s, _ := b.Get("alice"); s.Clients != 2 || !s.IdleDeadline.IsZero() {
				t.Errorf("got %+v", s)
			}
			b.pass(2 * time.Hour)
			b.wantState("alice", session.Occupied)
			first.Release()
			first.Release() // Twice, and counts once.
			b.pass(2 * time.Hour)
			b.wantState("alice", session.Occupied)
			second.Release()
			b.wantState("alice", session.Ready)
			if s, _ := b.Get("alice"); !s.IdleDeadline.Equal(time.Now().Add(idle)) {
				t.Errorf("idle deadline %v", s.IdleDeadline)
			}
			b.pass(idle - time.Millisecond)
			b.wantState("alice", session.Ready)
			b.pass(late)
			b.wantState("alice", session.Absent)
			if got := b.engine.Volumes(); len(got) != 1 {
				t.Errorf("the home is gone: %q", got)
			}
		})
	})
	t.Run("a client comes back in time", func(t *testing.T) {
		bubble(t, func(_ *testing.T, b *bench) {
			token := b.start("alice").Token
			for range 10 {
				a := b.attach(token)
				b.pass(time.Second)
				a.Release()
				b.pass(idle - time.Second)
				b.wantState("alice", session.Ready)
			}
		})
	})
	t.Run("looking is no use", func(t *testing.T) {
		bubble(t, func(_ *testing.T, b *bench) {
			b.start("alice")
			for range 12 {
				b.pass(grace / 10)
				_, _ = b.Get("alice")
				b.List()
			}
			b.wantState("alice", session.Absent)
		})
	})
	t.Run("the app's own times", func(t *testing.T) {
		bubble(t, func(_ *testing.T, b *bench) {
			b.start("bob")
			b.pass(time.Second + late)
			b.wantState("bob", session.Absent)
			a := b.attach(b.start("bob").Token)
			a.Release()
			b.pass(idle + late)
			b.wantState("bob", session.Ready)
			b.pass(time.Hour - idle)
			b.wantState("bob", session.Absent)
			a = b.attach(b.start("bob").Token)
			defer a.Release()
			b.pass(2 * time.Hour)
			b.wantState("bob", session.Occupied)
			b.pass(time.Hour + late)
			b.wantState("bob", session.Absent)
		}, func(b *bench) {
			b.apps.Apps[0].Timeouts = catalog.Timeouts{
				FirstClient: catalog.Duration(time.Second), Idle: catalog.Duration(time.Hour), MaxLifetime: catalog.Duration(3 * time.Hour),
			}
		})
	})
	t.Run("maximum lifetime", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			a := b.attach(b.start("alice").Token)
			defer a.Release()
			b.pass(time.Hour - time.Millisecond)
			b.wantState("alice", session.Occupied)
			b.pass(late)
			b.wantState("alice", session.Absent)
			if a.Context().Err() == nil {
				t.Error("the client was not told")
			}
		}, func(b *bench) { b.opts.MaxLifetime = time.Hour })
	})
}

func TestAttach(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		token := b.start("alice").Token
		for _, bad := range []string{"", "x", token[:5], token + "x", "alice"} {
			if _, err := b.Attach(t.Context(), bad, "vnc"); !errors.Is(err, session.ErrUnknownStream) {
				t.Errorf("token %q: %v", bad, err)
			}
		}
		if _, err := b.Attach(t.Context(), token, "audio"); !errors.Is(err, session.ErrUnknownEndpoint) || !strings.Contains(err.Error(), "vnc") {
			t.Errorf("got %v", err)
		}
		b.wantState("alice", session.Ready)
		a := b.attach(token)
		defer a.Release()
		conn, err := a.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		greeting := make([]byte, len(fake.Greeting))
		if _, err := conn.Read(greeting); err != nil || string(greeting) != fake.Greeting {
			t.Errorf("read %q, %v", greeting, err)
		}
		// A desktop that has died is noticed by the next one who dials.
		b.engine.Kill(b.container("alice").ID, 1, false)
		if _, err := a.Dial(t.Context()); err == nil {
			t.Error("a dead desktop can be dialled")
		}
		b.pass(0)
		b.wantState("alice", session.Failed)
	})
}

func TestPortsOfStrangers(t *testing.T) {
	for _, early := range []bool{false, true} {
		small := func(b *bench) {
			b.opts.PortEnd = b.opts.PortStart + 10
			b.engine = fake.New(fake.Options{
				Images:        map[string]fake.Image{image: {Program: fake.VNC(vncPort)}},
				ReservesPorts: early,
			})
		}
		t.Run(fmt.Sprintf("some are held/early=%v", early), func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				release := b.hold(2)
				defer release()
				b.start("alice")
				b.start("bob")
				_, err := b.Start(t.Context(), "carol", session.Request{App: "desk"})
				var full *session.PortsError
				if !errors.As(err, &full) || !errors.Is(err, session.ErrPortsExhausted) {
					t.Fatalf("got %v", err)
				}
				if full.Leased != 2 || full.Held != 8 || full.Wanted != 1 {
					t.Errorf("got %+v", *full)
				}
				b.wantContainers("collab-vm-alice", "collab-vm-bob")
			}, small)
		})
		t.Run(fmt.Sprintf("all are held/early=%v", early), func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				release := b.hold(0)
				_, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
				var full *session.PortsError
				if !errors.As(err, &full) || full.Held != 10 || full.Leased != 0 {
					t.Fatalf("got %v", err)
				}
				if f := failureOf(t, err); f.Phase != session.PhaseCreate || !strings.Contains(err.Error(), "[11000, 11010)") {
					t.Errorf("got %v", err)
				}
				b.wantNothing()
				release()
				b.pass(2 * time.Minute)
				b.start("alice")
			}, small)
		})
	}
	t.Run("many starts and stops", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			for i := range 300 {
				uid := uidOf(i % 7)
				b.start(uid)
				if err := b.Stop(t.Context(), uid, session.StopOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if len(b.Leases()) != 0 {
				t.Errorf("leases %v", b.Leases())
			}
		}, func(b *bench) { b.opts.PortEnd = b.opts.PortStart + 1 })
	})
}

func TestNameIsTaken(t *testing.T) {
	t.Run("by a stranger's container", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			id, err := b.engine.Create(t.Context(), runtime.Spec{Name: "collab-vm-alice", Image: image})
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Start(t.Context(), "alice", session.Request{App: "desk"})
			if f := failureOf(t, err); f.Phase != session.PhaseCreate || !errors.Is(err, runtime.ErrConflict) {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(err.Error(), "collab-vm-alice") || !strings.Contains(err.Error(), "CONTAINER_BASE_NAME") {
				t.Errorf("%q does not say what to do", err)
			}
			if got := b.engine.Containers(); len(got) != 1 || got[0].ID != id {
				t.Errorf("containers %+v", got)
			}
		})
	})
	t.Run("by a container of another instance", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			id := b.container("alice").ID
			b.halt()
			b.opts.Instance, b.opts.DataDir = "two", t.TempDir()
			if sum := b.boot(); sum != (session.Summary{}) {
				t.Errorf("found %+v", sum)
			}
			if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk"}); !errors.Is(err, runtime.ErrConflict) {
				t.Errorf("got %v", err)
			}
			if c := b.container("alice"); c.ID != id || c.State != runtime.StateRunning {
				t.Errorf("container %+v", c)
			}
		})
	})
	t.Run("by our own leftover", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			labels := b.container("alice").Labels
			if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
				t.Fatal(err)
			}
			id := b.plant("collab-vm-alice", labels, false)
			b.start("alice")
			if c := b.container("alice"); c.ID == id {
				t.Error("the leftover was not replaced")
			}
			b.wantContainers("collab-vm-alice")
		})
	})
	t.Run("by a desktop that could not be found yet", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			token := b.start("alice").Token
			b.halt()
			b.engine.Fail(fake.OpList, 0, errors.New("what?"))
			b.boot()
			if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk"}); !errors.Is(err, runtime.ErrUnavailable) {
				t.Errorf("start before anything is known: %v", err)
			}
			b.engine.Heal()
			b.pass(reconcile)
			if s := b.start("alice"); s.Token != token {
				t.Error("the desktop was lost")
			}
		})
	})
}

func TestManyAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		each(8, func(i int) {
			for range 50 {
				if i%4 == 0 {
					err := b.Stop(context.Background(), "alice", session.StopOptions{})
					if err != nil && !errors.Is(err, session.ErrNotRunning) {
						t.Errorf("stop: %v", err)
					}
					continue
				}
				s, err := b.Start(context.Background(), "alice", session.Request{App: "desk"})
				if errors.Is(err, session.ErrStopped) {
					continue
				} else if err != nil {
					t.Errorf("start: %v", err)
					continue
				}
				a, err := b.Attach(context.Background(), s.Token, "vnc")
				switch {
				case err == nil:
					a.Release()
				case !errors.Is(err, session.ErrUnknownStream) && !errors.Is(err, session.ErrStopped):
					t.Errorf("attach: %v", err)
				}
			}
		})
		synctest.Wait()
		if n := len(b.names()); n > 1 {
			t.Errorf("%d containers", n)
		}
		b.pass(10 * time.Minute)
		b.wantContainers()
		if len(b.Leases()) != 0 {
			t.Errorf("leases %v", b.Leases())
		}
	})
}

// TestDialWaitsForAYoungEndpoint has an endpoint that listens later than the one
// that the start waits for.
func TestDialWaitsForAYoungEndpoint(t *testing.T) {
	const latePort, late = 6080, 3 * time.Second
	bubble(t, func(t *testing.T, b *bench) {
		token := b.start("alice").Token
		a, err := b.Attach(t.Context(), token, "late")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		began := time.Now()
		conn, err := a.Dial(t.Context())
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		conn.Close()
		if waited := time.Since(began); waited == 0 || waited > late {
			t.Errorf("waited %s for an endpoint that listens after %s", waited, late)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		never, err := b.Attach(t.Context(), token, "never")
		if err != nil {
			t.Fatal(err)
		}
		defer never.Release()
		if _, err := never.Dial(ctx); !errors.Is(err, runtime.ErrRefused) {
			t.Errorf("impatient: %v", err)
		}
		b.pass(startTimeout) // It is young no more.
		began = time.Now()
		if _, err := never.Dial(t.Context()); !errors.Is(err, runtime.ErrRefused) || time.Since(began) > time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	}, func(b *bench) {
		app := &b.apps.Apps[0]
		app.Endpoints = append(app.Endpoints,
			catalog.Endpoint{Name: "late", Port: latePort, Protocol: catalog.RFB},
			catalog.Endpoint{Name: "never", Port: 7000, Protocol: catalog.RFB})
		b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
			go fake.SlowVNC(latePort, late)(ctx, p)
			return fake.VNC(vncPort)(ctx, p)
		}})
	})
}
