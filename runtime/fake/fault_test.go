package fake_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"sage/runtime"
	"sage/runtime/fake"
)

// start makes and starts a container of a program, which is removed with the
// engine's other ones at the end.
func start(t *testing.T, rt *fake.Runtime, program fake.Program) runtime.ID {
	t.Helper()
	t.Cleanup(rt.Reset)
	rt.SetImage("localhost/test:latest", fake.Image{Program: program})
	id, err := rt.Create(t.Context(), spec())
	if err == nil {
		err = rt.Start(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func spec() runtime.Spec {
	return runtime.Spec{Name: "one", Image: "localhost/test:latest", Labels: map[string]string{"a": "b"}}
}

func reachable() fake.Options {
	return fake.Options{Capabilities: runtime.Capabilities{ContainerAddress: true}}
}

func TestFail(t *testing.T) {
	broken := errors.New("broken")
	ready := &runtime.Error{Op: "start", Backend: "other", Kind: runtime.ErrExhausted}
	cases := []struct {
		name string
		give error
		want []error
	}{
		{"kind", runtime.ErrPortInUse, []error{runtime.ErrPortInUse}},
		{"other error", broken, []error{broken, runtime.ErrInternal}},
		{"ready error", ready, []error{ready, runtime.ErrExhausted}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rt := fake.New(fake.Options{})
			rt.Fail(fake.OpPing, 2, c.give)
			for call := 1; call <= 3; call++ {
				_, err := rt.Ping(t.Context())
				if call != 2 {
					if err != nil {
						t.Errorf("call %d: %v", call, err)
					}
					continue
				}
				for _, want := range c.want {
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				}
			}
			if calls := rt.Calls(fake.OpPing); calls != 3 {
				t.Errorf("%d calls, want 3", calls)
			}
		})
	}
}

func TestFailAlwaysUntilHealed(t *testing.T) {
	rt := fake.New(fake.Options{})
	rt.Fail(fake.OpPing, 0, runtime.ErrInternal)
	for range 3 {
		if _, err := rt.Ping(t.Context()); !errors.Is(err, runtime.ErrInternal) {
			t.Errorf("got %v", err)
		}
	}
	rt.Heal()
	if _, err := rt.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(fake.Options{})
		rt.Hang(fake.OpPing, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := rt.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, runtime.ErrCanceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		if _, err := rt.Ping(t.Context()); err != nil {
			t.Errorf("the second call: %v", err)
		}
	})
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(fake.Options{})
		rt.Delay(fake.OpPing, time.Minute)
		before := time.Now()
		if _, err := rt.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took != time.Minute {
			t.Errorf("took %v, want a minute", took)
		}
	})
}

func TestUnavailable(t *testing.T) {
	rt := fake.New(fake.Options{})
	id := start(t, rt, fake.Idle())
	rt.Unavailable(true)
	if _, err := rt.Inspect(t.Context(), id); !errors.Is(err, runtime.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	rt.Unavailable(false)
	if c, err := rt.Inspect(t.Context(), id); err != nil || c.State != runtime.StateRunning {
		t.Errorf("state %q, %v, want running", c.State, err)
	}
}

func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(reachable())
		id := start(t, rt, fake.VNC(5900))
		synctest.Wait()
		conn, err := rt.Dial(t.Context(), id, 5900)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if !rt.Kill(id, 139, true) {
			t.Fatal("there was nothing to kill")
		}
		c, err := rt.Inspect(t.Context(), id)
		if err != nil || c.State != runtime.StateExited || c.ExitCode != 139 || !c.OOMKilled {
			t.Errorf("got %+v, %v", c, err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read gave %v, want the end", err)
		}
		if rt.Kill(id, 1, false) {
			t.Error("killed twice")
		}
	})
}

func TestVanish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(reachable())
		id := start(t, rt, fake.Stubborn(fake.Idle()))
		if !rt.Vanish(id) {
			t.Fatal("there was nothing")
		}
		if _, err := rt.Inspect(t.Context(), id); !errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if left := rt.Containers(); len(left) != 0 {
			t.Errorf("left: %+v", left)
		}
	})
}

func TestStopWaitsForTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(fake.Options{})
		id := start(t, rt, fake.Stubborn(fake.Idle()))
		before := time.Now()
		if err := rt.Stop(t.Context(), id, 1500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took != 2*time.Second {
			t.Errorf("took %v, want the grace rounded up to two seconds", took)
		}
	})
}

func TestSlowVNC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(reachable())
		id := start(t, rt, fake.SlowVNC(5900, time.Minute))
		synctest.Wait()
		if _, err := rt.Dial(t.Context(), id, 5900); !errors.Is(err, runtime.ErrRefused) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		conn, err := rt.Dial(t.Context(), id, 5900)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		greeting := make([]byte, len(fake.Greeting))
		if _, err := io.ReadFull(conn, greeting); err != nil || string(greeting) != fake.Greeting {
			t.Errorf("greeting %q, %v", greeting, err)
		}
	})
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(reachable())
		id := start(t, rt, fake.Silent(5900))
		synctest.Wait()
		conn, err := rt.Dial(t.Context(), id, 5900)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
	})
}

func TestHoldPort(t *testing.T) {
	rt := fake.New(fake.Options{})
	release := rt.HoldPort(11000)
	if got := rt.Ports(); len(got) != 0 {
		t.Errorf("containers hold %v", got)
	}
	rt.SetImage("localhost/test:latest", fake.Image{Program: fake.Idle()})
	t.Cleanup(rt.Reset)
	one := spec()
	one.Ports = []runtime.PortBinding{{ContainerPort: 1, HostPort: 11000}}
	if _, err := rt.Create(t.Context(), one); !errors.Is(err, runtime.ErrInvalid) {
		t.Errorf("a binding without address: %v", err)
	}
	one.Ports[0].HostIP = netip.IPv6Loopback()
	id, err := rt.Create(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context(), id); !errors.Is(err, runtime.ErrPortInUse) {
		t.Errorf("got %v", err)
	}
	release()
	if err := rt.Start(t.Context(), id); err != nil {
		t.Error(err)
	}
	if got := rt.Ports(); len(got) != 1 || got[0] != 11000 {
		t.Errorf("containers hold %v, want 11000", got)
	}
}

func TestLostAnswers(t *testing.T) {
	rt := fake.New(fake.Options{Images: map[string]fake.Image{"image": {Program: fake.Idle()}}})
	t.Cleanup(rt.Reset)
	ctx := t.Context()
	lost := func(err error) {
		t.Helper()
		if !errors.Is(err, runtime.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	spec := runtime.Spec{Name: "lost", Image: "image", Volumes: []runtime.VolumeMount{{Volume: "home", Path: "/home"}}}
	rt.Lose(fake.OpCreate, 1)
	id, err := rt.Create(ctx, spec)
	lost(err)
	all := rt.Containers()
	if id != "" || len(all) != 1 || all[0].State != runtime.StateCreated {
		t.Fatalf("after a lost create: %q, %+v", id, all)
	}
	id = all[0].ID
	for _, step := range []struct {
		op   string
		call func() error
		want runtime.State
	}{
		{fake.OpStart, func() error { return rt.Start(ctx, id) }, runtime.StateRunning},
		{fake.OpStop, func() error { return rt.Stop(ctx, id, 0) }, runtime.StateExited},
	} {
		rt.Lose(step.op, 1)
		lost(step.call())
		if c := rt.Containers()[0]; c.State != step.want {
			t.Errorf("after a lost %s it is %s", step.op, c.State)
		}
	}
	rt.Lose(fake.OpRemove, 1)
	lost(rt.Remove(ctx, id))
	if all := rt.Containers(); len(all) != 0 {
		t.Errorf("after a lost remove: %+v", all)
	}
	rt.Lose(fake.OpRemoveVolume, 1)
	lost(rt.RemoveVolume(ctx, "home"))
	if left := rt.Volumes(); len(left) != 0 {
		t.Errorf("after a lost removevolume: %q", left)
	}
	rt.Lose(fake.OpList, 1)
	_, err = rt.List(ctx, runtime.Selector{NamePrefix: "x"})
	lost(err)
}

func TestEventsEnd(t *testing.T) {
	for name, end := range map[string]func(rt *fake.Runtime){
		"by themselves":        (*fake.Runtime).EndEvents,
		"with the engine":      func(rt *fake.Runtime) { rt.Unavailable(true) },
		"with everything else": (*fake.Runtime).Reset,
	} {
		t.Run(name, func(t *testing.T) {
			rt := fake.New(fake.Options{})
			listening, ended := make(chan struct{}), make(chan error, 1)
			go func() {
				ended <- rt.Events(context.Background(), runtime.Selector{NamePrefix: "x"}, func(runtime.Event) { close(listening) })
			}()
			<-listening
			end(rt)
			if err := <-ended; !errors.Is(err, runtime.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// follow listens until its call ends, and gives what it heard by then.
func follow(ctx context.Context, rt *fake.Runtime) (heard []runtime.EventKind, err error) {
	err = rt.Events(ctx, runtime.Selector{NamePrefix: "one"}, func(e runtime.Event) { heard = append(heard, e.Kind) })
	return heard, err
}

func TestEventsFaultsAtOpening(t *testing.T) {
	cases := []struct {
		name  string
		fault func(rt *fake.Runtime)
		want  error
		took  time.Duration
	}{
		{"fail", func(rt *fake.Runtime) { rt.Fail(fake.OpEvents, 1, runtime.ErrExhausted) }, runtime.ErrExhausted, 0},
		{"lose", func(rt *fake.Runtime) { rt.Lose(fake.OpEvents, 1) }, runtime.ErrUnavailable, 0},
		{"hang", func(rt *fake.Runtime) { rt.Hang(fake.OpEvents, 1) }, runtime.ErrCanceled, time.Hour},
		{"delay beyond the deadline", func(rt *fake.Runtime) { rt.Delay(fake.OpEvents, 2*time.Hour) }, runtime.ErrCanceled, time.Hour},
		{"unavailable", func(rt *fake.Runtime) { rt.Unavailable(true) }, runtime.ErrUnavailable, 0},
		{"unavailable while it is opened", func(rt *fake.Runtime) {
			rt.Delay(fake.OpEvents, time.Minute)
			time.AfterFunc(time.Second, func() { rt.Unavailable(true) })
		}, runtime.ErrUnavailable, time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := fake.New(fake.Options{})
				c.fault(rt)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				before := time.Now()
				heard, err := follow(ctx, rt)
				if !errors.Is(err, c.want) || time.Since(before) != c.took {
					t.Errorf("got %v after %v, want %v after %v", err, time.Since(before), c.want, c.took)
				}
				if len(heard) != 0 {
					t.Errorf("heard %q", heard)
				}
			})
		})
	}
}

func TestEventsAreOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(fake.Options{})
		for range 2 {
			go func() {
				synctest.Wait()
				rt.EndEvents()
			}()
			heard, err := follow(t.Context(), rt)
			if !errors.Is(err, runtime.ErrUnavailable) || len(heard) != 1 || heard[0] != runtime.EventListening {
				t.Errorf("heard %q, %v", heard, err)
			}
		}
	})
}

func TestEventsDoNotHoldUpTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := fake.New(fake.Options{})
		release := make(chan struct{})
		var heard []runtime.EventKind
		go func() {
			err := rt.Events(t.Context(), runtime.Selector{NamePrefix: "one"}, func(e runtime.Event) {
				<-release
				if _, err := rt.Ping(t.Context()); err != nil {
					t.Errorf("ask within a notification: %v", err)
				}
				heard = append(heard, e.Kind)
			})
			if !errors.Is(err, runtime.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		}()
		synctest.Wait()
		// Whoever is told is stuck, and many things happen.
		const rounds = 1000
		for range rounds {
			id := start(t, rt, fake.Idle())
			if err := rt.Remove(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		close(release)
		synctest.Wait()
		rt.EndEvents()
		synctest.Wait()
		life := []runtime.EventKind{runtime.EventStarted, runtime.EventExited, runtime.EventRemoved}
		if len(heard) != 1+rounds*len(life) {
			t.Fatalf("heard %d events", len(heard))
		}
		for i, kind := range heard[1:] {
			if kind != life[i%len(life)] {
				t.Fatalf("event %d is %q", i, kind)
			}
		}
	})
}
