package session_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

func TestStartIsReadyWhenTheDesktopHasGreeted(t *testing.T) {
	const slow = 3 * time.Second
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.SetImage(image, fake.Image{Program: fake.SlowVNC(vncPort, slow)})
		began := time.Now()
		got := b.startSoon("alice", session.Request{App: "desk"})
		b.pass(slow - time.Millisecond)
		b.wantState("alice", session.Starting)
		if s, _ := b.Get("alice"); s.Token != "" {
			t.Error("the token is given out before the desktop answers")
		}
		out := <-got
		if out.err != nil {
			t.Fatal(out.err)
		}
		if took := time.Since(began); took < slow || took > slow+100*time.Millisecond {
			t.Errorf("ready after %s", took)
		}
		s := out.session
		if s.App != "desk" || s.Container != "collab-vm-alice" || s.Clients != 0 || s.Failure != nil {
			t.Errorf("got %+v", s)
		}
		if want := s.ReadyAt.Add(grace); !s.IdleDeadline.Equal(want) {
			t.Errorf("idle deadline %v, want %v", s.IdleDeadline, want)
		}
		if !reflect.DeepEqual(s.Endpoints, b.apps.Apps[0].Endpoints) {
			t.Errorf("endpoints %v", s.Endpoints)
		}
		if calls := b.engine.Calls(fake.OpEnsureImage); calls != 0 {
			t.Errorf("the image was there and was asked for %d times", calls)
		}
	})
}

func TestStartWaitsForEveryProtocol(t *testing.T) {
	const slow = 2 * time.Second
	after := func(program fake.Program) fake.Program {
		return func(ctx context.Context, p *fake.Process) int {
			select {
			case <-time.After(slow):
				return program(ctx, p)
			case <-ctx.Done():
				return 0
			}
		}
	}
	answer := func(text string) fake.Program {
		return fake.Serves(vncPort, func(_ context.Context, conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte(text))
			_, _ = conn.Read(make([]byte, 1))
		})
	}
	hangUp := fake.Serves(vncPort, func(context.Context, net.Conn) {})
	tests := []struct {
		name     string
		protocol catalog.Protocol
		program  fake.Program
		ready    bool
	}{
		{"rfb", catalog.RFB, fake.VNC(vncPort), true},
		{"rfb that speaks http", catalog.RFB, answer("HTTP/1.1 400 Bad Request\r\n\r\n"), false},
		{"websocket", catalog.WebSocket, answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), true},
		{"websocket that refuses", catalog.WebSocket, answer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), false},
		{"websocket that is none", catalog.WebSocket, answer("hello\r\n\r\n"), false},
		{"tcp that waits", catalog.TCP, fake.Silent(vncPort), true},
		{"tcp that speaks", catalog.TCP, fake.VNC(vncPort), true},
		{"tcp that hangs up", catalog.TCP, hangUp, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.apps.Apps[0].Endpoints[0].Protocol = test.protocol
				b.apps.Apps[0].Endpoints[0].Path = "/websockify"
				b.engine.SetImage(image, fake.Image{Program: after(test.program)})
				began := time.Now()
				_, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
				if test.ready != (err == nil) {
					t.Fatalf("got %v", err)
				}
				if !test.ready && !errors.Is(err, session.ErrStartTimeout) {
					t.Errorf("got %v", err)
				}
				if time.Since(began) < slow {
					t.Errorf("ready after %s, the program begins after %s", time.Since(began), slow)
				}
			})
		})
	}
}

// TestFailedStarts walks the ways in which a start fails: each says in which
// phase and why, and leaves nothing behind.
func TestFailedStarts(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(b *bench)
		phase   session.Phase
		kinds   []error
		not     []error
		text    string
		exit    int // -1: the program did not end by itself
		log     []string
	}{
		{
			name: "image is not there and cannot be pulled", prepare: func(b *bench) { b.engine.RemoveImage(image) },
			phase: session.PhaseImage, kinds: []error{runtime.ErrImageNotFound}, text: image, exit: -1,
		},
		{
			name: "image cannot be built", prepare: func(b *bench) {
				b.engine.RemoveImage(image)
				b.apps.Apps[0].Build = &catalog.Build{Context: b.opts.DataDir, Containerfile: "Containerfile"}
			},
			phase: session.PhaseImage, kinds: []error{runtime.ErrImageNotFound}, text: image, exit: -1,
		},
		{
			name: "image takes for ever", prepare: func(b *bench) {
				b.engine.RemoveImage(image)
				b.engine.Hang(fake.OpEnsureImage, 1)
			},
			phase: session.PhaseImage, kinds: []error{session.ErrStartTimeout}, text: "SAGE_IMAGE_TIMEOUT", exit: -1,
		},
		{
			name: "image is gone again", prepare: func(b *bench) { b.engine.Fail(fake.OpCreate, 0, runtime.ErrImageNotFound) },
			phase: session.PhaseCreate, kinds: []error{runtime.ErrImageNotFound}, exit: -1,
		},
		{
			name: "create fails", prepare: func(b *bench) { b.engine.Fail(fake.OpCreate, 1, runtime.ErrExhausted) },
			phase: session.PhaseCreate, kinds: []error{runtime.ErrExhausted}, text: "in phase create", exit: -1,
		},
		{
			name: "create hangs", prepare: func(b *bench) { b.engine.Hang(fake.OpCreate, 1) },
			phase: session.PhaseCreate, kinds: []error{runtime.ErrUnavailable}, not: []error{session.ErrStartTimeout}, text: "no answer in time", exit: -1,
		},
		{
			name: "engine is away", prepare: func(b *bench) { b.engine.Fail(fake.OpCreate, 0, runtime.ErrUnavailable) },
			phase: session.PhaseCreate, kinds: []error{runtime.ErrUnavailable}, exit: -1,
		},
		{
			name: "start fails", prepare: func(b *bench) { b.engine.Fail(fake.OpStart, 1, errors.New("no such device")) },
			phase: session.PhaseStart, kinds: []error{runtime.ErrInternal}, text: "no such device", exit: -1,
		},
		{
			name: "start hangs", prepare: func(b *bench) { b.engine.Hang(fake.OpStart, 1) },
			phase: session.PhaseStart, kinds: []error{runtime.ErrUnavailable}, not: []error{session.ErrStartTimeout}, text: "no answer in time", exit: -1,
		},
		{
			name: "program cannot be executed", prepare: func(b *bench) { b.engine.SetImage(image, fake.Image{}) },
			phase: session.PhaseStart, kinds: []error{runtime.ErrInvalid}, exit: -1,
		},
		{
			name: "program exits at once", prepare: func(b *bench) {
				b.engine.SetImage(image, fake.Image{Program: func(_ context.Context, p *fake.Process) int {
					for i := range 30 {
						fmt.Fprintf(p.Stderr(), "line %d\n", i)
					}
					return 7
				}})
			},
			phase: session.PhaseReady, not: []error{runtime.ErrConflict, session.ErrStartTimeout},
			text: "exit code 7", exit: 7,
			log: []string{
				"line 10", "line 11", "line 12", "line 13", "line 14", "line 15", "line 16", "line 17", "line 18", "line 19",
				"line 20", "line 21", "line 22", "line 23", "line 24", "line 25", "line 26", "line 27", "line 28", "line 29",
			},
		},
		{
			name: "program exits after a while", prepare: func(b *bench) {
				b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
					select {
					case <-ctx.Done():
					case <-time.After(2 * time.Second):
					}
					fmt.Fprintln(p.Stdout(), "cannot open display")
					return 0
				}})
			},
			phase: session.PhaseReady, text: "exit code 0", exit: 0, log: []string{"cannot open display"},
		},
		{
			name: "server is silent", prepare: func(b *bench) { b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)}) },
			phase: session.PhaseReady, kinds: []error{session.ErrStartTimeout}, exit: -1,
			text: "start timed out: 10s is the limit, see SAGE_START_TIMEOUT and timeouts.start in the catalog; the vnc endpoint on port 5900 last said: ",
		},
		{
			name: "nothing listens", prepare: func(b *bench) { b.engine.SetImage(image, fake.Image{Program: fake.Idle()}) },
			phase: session.PhaseReady, kinds: []error{session.ErrStartTimeout}, exit: -1, text: "connection refused",
		},
		{
			name: "program listens and is stubborn", prepare: func(b *bench) {
				b.engine.SetImage(image, fake.Image{Program: fake.Stubborn(fake.Silent(vncPort))})
			},
			phase: session.PhaseReady, kinds: []error{session.ErrStartTimeout}, exit: -1,
		},
		{
			name: "dialling hangs", prepare: func(b *bench) { b.engine.Hang(fake.OpDial, 0) },
			phase: session.PhaseReady, kinds: []error{session.ErrStartTimeout}, exit: -1,
		},
		{
			name: "foreign container has the name and the list hangs", prepare: func(b *bench) {
				b.engine.Fail(fake.OpCreate, 1, runtime.ErrConflict)
				b.engine.Hang(fake.OpList, 1)
			},
			phase: session.PhaseCreate, kinds: []error{runtime.ErrUnavailable}, exit: -1,
		},
	}
	for _, test := range tests {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/known=%v", test.name, known), func(t *testing.T) {
				bubble(t, func(t *testing.T, b *bench) {
					var before []byte
					file := filepath.Join(b.opts.DataDir, "sessions", "alice.json")
					if known {
						if _, err := b.Start(t.Context(), "alice", session.Request{App: "old", Env: map[string]any{"SIZE": "1x1"}}); err != nil {
							t.Fatal(err)
						}
						if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
							t.Fatal(err)
						}
						before, _ = os.ReadFile(file)
					}
					b.engine.Heal()
					test.prepare(b)
					_, err := b.Start(t.Context(), "alice", session.Request{App: "desk", Env: map[string]any{"SIZE": "2x2"}})
					f := failureOf(t, err)
					if f.Phase != test.phase || f.UID != "alice" || f.App != "desk" {
						t.Errorf("failure of %s (%s) in phase %s, want %s", f.UID, f.App, f.Phase, test.phase)
					}
					for _, kind := range test.kinds {
						if !errors.Is(err, kind) {
							t.Errorf("%v is not %q", err, kind)
						}
					}
					for _, kind := range test.not {
						if errors.Is(err, kind) {
							t.Errorf("%v is %q", err, kind)
						}
					}
					if !strings.Contains(err.Error(), test.text) {
						t.Errorf("%q lacks %q", err, test.text)
					}
					if f.Exited != (test.exit >= 0) || f.Exited && f.ExitCode != test.exit {
						t.Errorf("exited %v with %d", f.Exited, f.ExitCode)
					}
					if !reflect.DeepEqual(f.Log, test.log) {
						t.Errorf("log %q", f.Log)
					}
					b.wantState("alice", session.Failed)
					if s, _ := b.Get("alice"); s.Failure != f || s.Token != "" {
						t.Errorf("kept: %+v", s)
					}

					b.engine.Heal()
					b.pass(0)
					if !known {
						b.wantNothing()
					} else {
						b.wantContainers()
						if len(b.Leases()) > 0 {
							t.Errorf("leases %v", b.Leases())
						}
						after, err := os.ReadFile(file)
						if err != nil || savedApp(t, before) != savedApp(t, after) {
							t.Errorf("settings were\n%s\nand are\n%s (%v)", before, after, err)
						}
					}

					// What failed once can be tried again.
					b.engine.SetImage(image, fake.Image{Program: fake.VNC(vncPort)})
					b.start("alice")
				}, func(b *bench) { b.apps.Apps = append(b.apps.Apps, desk("old")) })
			})
		}
	}
}

// savedApp is what a file of settings says, but for the time.
func savedApp(t *testing.T, file []byte) string {
	t.Helper()
	text, _, found := strings.Cut(string(file), `"saved_at"`)
	if !found {
		t.Fatalf("no settings: %q", file)
	}
	return text
}

func TestFailureIsKeptForAWhile(t *testing.T) {
	bubble(t, func(_ *testing.T, b *bench) {
		s := b.start("alice")
		held := b.attach(s.Token)
		defer held.Release()
		b.pass(time.Hour)
		b.engine.Kill(b.container("alice").ID, 3, false)
		b.pass(reconcile)
		b.wantState("alice", session.Failed)
		b.pass(5 * time.Minute)
		b.wantState("alice", session.Failed)
		b.pass(6 * time.Minute)
		b.wantState("alice", session.Absent)
	})
}

func TestStartRefusals(t *testing.T) {
	tests := []struct {
		name, uid string
		req       session.Request
		want      error
	}{
		{"bad uid", "../x", session.Request{App: "desk"}, session.ErrInvalidUID},
		{"empty uid", "", session.Request{App: "desk"}, session.ErrInvalidUID},
		{"unknown app", "alice", session.Request{App: "nothing"}, session.ErrUnknownApp},
		{"app by a part of its name", "alice", session.Request{App: "des"}, session.ErrUnknownApp},
		{"unknown uid without app", "alice", session.Request{}, session.ErrNoSettings},
		{"unknown uid with env alone", "alice", session.Request{Env: map[string]any{"SIZE": "1"}}, session.ErrNoSettings},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				if _, err := b.Start(t.Context(), test.uid, test.req); !errors.Is(err, test.want) {
					t.Errorf("got %v", err)
				}
				b.wantNothing()
				if got := b.List(); len(got) != 0 {
					t.Errorf("list: %v", got)
				}
				if b.engine.Calls(fake.OpCreate) != 0 {
					t.Error("the engine was asked")
				}
			})
		})
	}
	t.Run("environment", func(t *testing.T) {
		bubble(t, func(t *testing.T, b *bench) {
			_, err := b.Start(t.Context(), "alice", session.Request{App: "desk", Env: map[string]any{"LD_PRELOAD": "x", "DEPTH": "deep"}})
			var bad *catalog.VariableError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), "LD_PRELOAD") || !strings.Contains(err.Error(), "DEPTH") {
				t.Errorf("got %v", err)
			}
			b.wantNothing()
		})
	})
}

func TestContainerIsAsTheCatalogSays(t *testing.T) {
	var seen runtime.Spec
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
			seen = p.Spec()
			return fake.VNC(vncPort)(ctx, p)
		}})
		if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk-alias", Env: map[string]any{"SIZE": "800x600"}}); err != nil {
			t.Fatal(err)
		}
		if seen.Name != "collab-vm-alice" || seen.Image != image || seen.Hostname != "desk" || !seen.ReadOnly {
			t.Errorf("got %+v", seen)
		}
		if want := map[string]string{"FIXED": "1", "SIZE": "800x600"}; !reflect.DeepEqual(seen.Env, want) {
			t.Errorf("env %v", seen.Env)
		}
		if want := []runtime.VolumeMount{{Volume: "collab-vm-alice-home", Path: "/home/sage"}}; !reflect.DeepEqual(seen.Volumes, want) {
			t.Errorf("volumes %v", seen.Volumes)
		}
		if want := (runtime.Limits{CPUs: 1.5, MemoryBytes: 1 << 30, PIDs: 99, ShmBytes: 1 << 20}); seen.Limits != want {
			t.Errorf("limits %v", seen.Limits)
		}
		if want := []runtime.TmpfsMount{{Path: "/tmp", Bytes: 42}}; !reflect.DeepEqual(seen.Tmpfs, want) {
			t.Errorf("tmpfs %v", seen.Tmpfs)
		}
		if len(seen.Ports) != 1 || seen.Ports[0].HostIP != b.opts.PublishIP || seen.Ports[0].ContainerPort != vncPort ||
			b.Leases()[seen.Ports[0].HostPort] != "alice" {
			t.Errorf("ports %v, leases %v", seen.Ports, b.Leases())
		}
		if got := seen.Labels["io.sage.uid"]; got != "alice" {
			t.Errorf("labels %v", seen.Labels)
		}
	}, func(b *bench) {
		app := &b.apps.Apps[0]
		app.Env = map[string]string{"FIXED": "1"}
		app.Limits = catalog.Limits{CPUs: 1.5, Memory: 1 << 30, Pids: 99, Shm: 1 << 20}
		app.Tmpfs = []catalog.Tmpfs{{Path: "/tmp", Size: 42}}
		app.ReadOnly = true
	})
}

// TestNetwork: on a network that this process is on, desktops are reached without ports of the host.
func TestNetwork(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		for _, uid := range []string{"alice", "bob", "carol"} {
			if _, err := b.Start(t.Context(), uid, session.Request{App: "desk"}); err != nil {
				t.Fatal(err)
			}
		}
		containers, err := b.engine.List(t.Context(), runtime.Selector{NamePrefix: "collab-vm-"})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range containers {
			if c, err = b.engine.Inspect(t.Context(), c.ID); err != nil || len(c.Ports) > 0 {
				t.Errorf("%s has the ports %v, %v", c.Name, c.Ports, err)
			}
		}
		if len(containers) != 3 || len(b.Leases()) > 0 {
			t.Errorf("%d containers, leases %v", len(containers), b.Leases())
		}
	}, func(b *bench) {
		b.engine = fake.New(fake.Options{
			Images:       map[string]fake.Image{image: {Program: fake.VNC(vncPort)}},
			Capabilities: runtime.Capabilities{ContainerAddress: true},
		})
		b.opts.Network, b.opts.PublishIP = fake.Network, netip.Addr{}
		b.opts.PortEnd = b.opts.PortStart + 1 // There would be one port for three.
	})
	bubble(t, func(t *testing.T, b *bench) {
		if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk"}); !errors.Is(err, runtime.ErrInvalid) {
			t.Errorf("start on a network that there is not: %v", err)
		}
	}, func(b *bench) { b.opts.Network = "elsewhere" })
}

func TestMissingImageIsBuilt(t *testing.T) {
	built := make(chan struct{})
	bubble(t, func(t *testing.T, b *bench) {
		built = make(chan struct{})
		got := b.startSoon("alice", session.Request{App: "desk"})
		b.pass(0)
		b.wantState("alice", session.Preparing)
		if s, _ := b.Get("alice"); s.Progress != "step 1" {
			t.Errorf("progress %q", s.Progress)
		}
		// Building takes longer than a start may.
		b.pass(imageTimeout - time.Second)
		close(built)
		if out := <-got; out.err != nil || out.session.Progress != "" {
			t.Errorf("got %+v", out)
		}
	}, func(b *bench) {
		b.engine = fake.New(fake.Options{
			Build: func(ctx context.Context, req runtime.ImageRequest, log func(string)) (fake.Image, error) {
				if req.Build.Args["WHAT"] != "ours" {
					return fake.Image{}, fmt.Errorf("build arguments %v", req.Build.Args)
				}
				log("step 1")
				select {
				case <-built:
					return fake.Image{Program: fake.VNC(vncPort)}, nil
				case <-ctx.Done():
					return fake.Image{}, ctx.Err()
				}
			},
		})
		b.opts.BuildArgs = map[string]string{"WHAT": "ours", "ELSE": "unused"}
		b.apps.Apps[0].Build = &catalog.Build{Context: b.opts.DataDir, Containerfile: "Containerfile", Args: map[string]string{"WHAT": "theirs"}}
	})
}

func TestTenStartsForOneUIDMakeOneContainer(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.Delay(fake.OpCreate, time.Second)
		var tokens [10]string
		each(10, func(i int) {
			s, err := b.Start(context.Background(), "alice", session.Request{App: "desk"})
			if err != nil {
				t.Error(err)
			}
			tokens[i] = s.Token
		})
		for _, token := range tokens {
			if token != tokens[0] {
				t.Errorf("two desktops: %q", tokens)
				break
			}
		}
		if calls := b.engine.Calls(fake.OpCreate); calls != 1 {
			t.Errorf("%d creates", calls)
		}
		b.wantContainers("collab-vm-alice")
	})
}

func TestTenFailedStartsForOneUIDFailAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.Delay(fake.OpCreate, time.Second)
		b.engine.Fail(fake.OpCreate, 0, runtime.ErrExhausted)
		each(10, func(int) {
			if _, err := b.Start(context.Background(), "alice", session.Request{App: "desk"}); !errors.Is(err, runtime.ErrExhausted) {
				t.Errorf("got %v", err)
			}
		})
		if calls := b.engine.Calls(fake.OpCreate); calls != 1 {
			t.Errorf("%d creates", calls)
		}
		b.engine.Heal()
		b.wantNothing()
	})
}

func TestUIDsDoNotWaitForEachOther(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.Hang(fake.OpCreate, 1)
		hung := b.startSoon("hung", session.Request{App: "desk"})
		synctest.Wait()
		began := time.Now()
		each(10, func(i int) {
			if _, err := b.Start(context.Background(), uidOf(i), session.Request{App: "desk"}); err != nil {
				t.Error(err)
			}
		})
		if took := time.Since(began); took >= time.Second {
			t.Errorf("ten others took %s", took)
		}
		b.wantState("hung", session.Preparing)
		if out := <-hung; !errors.Is(out.err, runtime.ErrUnavailable) {
			t.Errorf("got %v", out.err)
		}
		if got := len(b.List()); got != 11 {
			t.Errorf("%d are known", got)
		}
	})
}

func TestImpatientCallerDoesNotAbortTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.Delay(fake.OpCreate, 5*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var impatient error
		began := time.Now()
		go func() { _, impatient = b.Start(ctx, "alice", session.Request{App: "desk"}) }()
		synctest.Wait()
		other := b.startSoon("alice", session.Request{App: "desk"})
		b.pass(time.Second)
		if !errors.Is(impatient, context.DeadlineExceeded) {
			t.Errorf("the impatient one got %v", impatient)
		}
		if out := <-other; out.err != nil {
			t.Errorf("the other one got %v", out.err)
		}
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("took %s", took)
		}
		b.wantContainers("collab-vm-alice")
	})
}

func TestRunningDesktopIsGivenAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		first := b.start("alice")
		for _, req := range []session.Request{{}, {App: "desk"}, {App: "desk", Env: map[string]any{"SIZE": "9x9"}}} {
			s, err := b.Start(t.Context(), "alice", req)
			if err != nil || s.Token != first.Token {
				t.Errorf("%+v: got %+v, %v", req, s, err)
			}
		}
	})
}

func TestRestartWithSavedSettings(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		env := func() string {
			var size string
			b.engine.SetImage(image, fake.Image{Program: func(ctx context.Context, p *fake.Process) int {
				size = p.Getenv("SIZE") + "/" + p.Getenv("DEPTH")
				return fake.VNC(vncPort)(ctx, p)
			}})
			if _, err := b.Start(t.Context(), "alice", session.Request{}); err != nil {
				t.Fatal(err)
			}
			b.pass(0)
			return size
		}
		stop := func() {
			if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.Start(t.Context(), "alice", session.Request{App: "desk-alias", Env: map[string]any{"SIZE": "800x600", "DEPTH": 24}})
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if _, err := b.Attach(t.Context(), s.Token, "vnc"); !errors.Is(err, session.ErrUnknownStream) {
			t.Errorf("the old token leads to %v", err)
		}
		if got := env(); got != "800x600/24" {
			t.Errorf("after a restart: %q", got)
		}
		stop()
		b.reboot()
		if got := env(); got != "800x600/24" {
			t.Errorf("after a restart of the daemon: %q", got)
		}
		stop()
		if got := b.engine.Volumes(); !reflect.DeepEqual(got, []string{"collab-vm-alice-home"}) {
			t.Errorf("volumes %q", got)
		}
		b.apps = &catalog.Catalog{Apps: []catalog.App{desk("other")}}
		if _, err := b.Start(t.Context(), "alice", session.Request{}); !errors.Is(err, session.ErrUnknownApp) {
			t.Errorf("app has left the catalog: %v", err)
		}
	})
}

func TestUIDsAreComparedAsAWhole(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start("alice-2f9c")
		for _, uid := range []string{"a", "alice", "alice-2f9", "alice-2f9c0", "ALICE-2F9C", "2f9c", ".*", "alice-2f9*", "", "%"} {
			valid := session.CheckUID(uid) == nil
			s, err := b.Get(uid)
			if valid && (err != nil || s.State != session.Absent) || !valid && !errors.Is(err, session.ErrInvalidUID) {
				t.Errorf("get %q: %+v, %v", uid, s, err)
			}
			want := session.ErrNotRunning
			if !valid {
				want = session.ErrInvalidUID
			}
			for _, purge := range []bool{false, true} {
				if err := b.Stop(t.Context(), uid, session.StopOptions{Purge: purge}); !errors.Is(err, want) {
					t.Errorf("stop %q: %v", uid, err)
				}
			}
		}
		if got := b.List(); len(got) != 1 || got[0].UID != "alice-2f9c" || got[0].State != session.Ready {
			t.Errorf("list: %+v", got)
		}
		b.start("alice") // One name is the beginning of the other.
		if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
			t.Fatal(err)
		}
		b.wantState("alice-2f9c", session.Ready)
		b.wantContainers("collab-vm-alice-2f9c")
		if got := b.engine.Volumes(); !reflect.DeepEqual(got, []string{"collab-vm-alice-2f9c-home"}) {
			t.Errorf("volumes %q", got)
		}
	})
}

func TestSettingsThatCannotBeWritten(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		if err := os.MkdirAll(filepath.Join(b.opts.DataDir, "sessions", "alice.json", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
		if f := failureOf(t, err); f.Phase != session.PhaseSettings || !errors.Is(err, session.ErrStore) {
			t.Errorf("got %v", err)
		}
		if b.engine.Calls(fake.OpCreate) != 0 {
			t.Error("there is a container without settings")
		}
	})
}
