package session_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"sage/catalog"
	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// understood lets the bench's app be one whose viewers are understood.
func understood(change func(*catalog.App)) func(*bench) {
	return func(b *bench) {
		app := &b.apps.Apps[0]
		app.Viewing = catalog.Viewing{Understand: true, Clipboard: "both", PasswordEnv: "VNC_PASSWORD"}
		app.Endpoints = append(app.Endpoints, catalog.Endpoint{Name: "audio", Port: 5901, Protocol: catalog.TCP})
		if change != nil {
			change(app)
		}
	}
}

func TestViewOnlyLink(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
		if err != nil {
			t.Fatal(err)
		}
		if s.ViewToken == "" || s.ViewToken == s.Token || len(s.ViewToken) != len(s.Token) {
			t.Fatalf("tokens %q and %q", s.Token, s.ViewToken)
		}
		for token, viewOnly := range map[string]bool{s.Token: false, s.ViewToken: true} {
			a, err := b.Attach(t.Context(), token, "vnc")
			if err != nil {
				t.Fatal(err)
			}
			if a.ViewOnly != viewOnly || !a.Understood() {
				t.Errorf("view-only %t, understood %t; want %t, true", a.ViewOnly, a.Understood(), viewOnly)
			}
			a.Release()
		}
		if _, err := b.Attach(t.Context(), s.ViewToken, "audio"); !errors.Is(err, session.ErrViewOnly) {
			t.Errorf("the audio endpoint by a view-only link: %v", err)
		}

		b.kill()
		b.boot()
		after, err := b.Get("alice")
		if err != nil || after.ViewToken != s.ViewToken {
			t.Errorf("view-only token %q, %v after the daemon's end, want %q", after.ViewToken, err, s.ViewToken)
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Attach(t.Context(), s.ViewToken, "vnc"); !errors.Is(err, session.ErrUnknownStream) {
			t.Errorf("a view-only link after the end: %v", err)
		}
		next, err := b.Start(t.Context(), "alice", session.Request{})
		if err != nil || next.ViewToken == s.ViewToken {
			t.Errorf("the next desktop has the view-only token of the last one: %v", err)
		}
	}, understood(nil))
}

// TestViewOnlyLinkStartsNothing: while a desktop is being stopped, who may use it
// gets the next one, but who may only look does not.
func TestViewOnlyLinkStartsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.SetImage(image, fake.Image{Program: fake.Stubborn(fake.VNC(vncPort))})
		s, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
		if err != nil {
			t.Fatal(err)
		}
		stopped := b.stopSoon("alice", session.StopOptions{})
		b.pass(time.Second)
		b.wantState("alice", session.Stopping)
		if _, err := b.Attach(t.Context(), s.ViewToken, "vnc"); !errors.Is(err, session.ErrUnknownStream) {
			t.Errorf("a view-only link to a desktop that is being stopped: %v", err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		b.wantState("alice", session.Absent)
	}, understood(nil))
}

// TestNoViewOnlyLinkWhereItCannotBeEnforced: then there is none.
func TestNoViewOnlyLinkWhereItCannotBeEnforced(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
		if err != nil {
			t.Fatal(err)
		}
		if s.ViewToken != "" {
			t.Error("there is a view-only link")
		}
		a, err := b.Attach(t.Context(), s.Token, "vnc")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		if a.Understood() {
			t.Error("it is to be understood")
		}
	})
}

func TestVNCPassword(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		seen := map[string]bool{}
		for range 3 {
			if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk"}); err != nil {
				t.Fatal(err)
			}
			list, err := b.engine.List(t.Context(), runtime.Selector{NamePrefix: "collab-vm-"})
			if err != nil || len(list) != 1 {
				t.Fatalf("%d containers, %v", len(list), err)
			}
			_, password := b.RecordOf("alice")
			if len(password) != 8 || seen[password] {
				t.Errorf("password %q, want another one of 8 characters at every start", password)
			}
			seen[password] = true
			if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}, understood(nil))
}

// TestInputIdle: a desktop that is looked at and not touched is stopped after its
// time, where it has one.
func TestInputIdle(t *testing.T) {
	const inputIdle = 10 * time.Minute
	bubble(t, func(t *testing.T, b *bench) {
		s, err := b.Start(t.Context(), "alice", session.Request{App: "desk"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * inputIdle) // Before anybody came.
		a, err := b.Attach(t.Context(), s.Token, "vnc")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		desktop, server := net.Pipe()
		defer desktop.Close()
		defer server.Close()
		go func() { _, _ = io.Copy(io.Discard, desktop) }()
		v := a.Join(&bytes.Buffer{}, server)
		defer v.Leave()
		key := []byte{4, 1, 0, 0, 0, 0, 0, 'a'} // RFC 6143, section 7.5.4.
		for range 3 {
			time.Sleep(inputIdle - time.Minute)
			if a.Context().Err() != nil {
				t.Fatal("a desktop that is touched was stopped")
			}
			if err := v.FromClient(key); err != nil {
				t.Fatal(err)
			}
		}
		touched := time.Now()
		<-a.Context().Done()
		if after := time.Since(touched); after < inputIdle || after > inputIdle+time.Second {
			t.Errorf("stopped %s after it was touched, want %s", after, inputIdle)
		}
	}, understood(func(app *catalog.App) {
		app.Timeouts.InputIdle, app.Timeouts.FirstClient = catalog.Duration(inputIdle), catalog.Duration(time.Hour)
	}))
}

func TestNoPicture(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		if _, err := b.Picture(t.Context(), "alice", 0); !errors.Is(err, session.ErrNoPicture) {
			t.Errorf("of an absent desktop: %v", err)
		}
		if _, err := b.Picture(t.Context(), "../alice", 0); !errors.Is(err, session.ErrInvalidUID) {
			t.Errorf("of an impossible uid: %v", err)
		}
	})
}

// TestNoPictureThroughAWebSocket: what an endpoint may say that let its desktop become ready, and gives no picture.
func TestNoPictureThroughAWebSocket(t *testing.T) {
	const upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
	for name, answer := range map[string]string{
		"refuses":         "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		"sends elsewhere": "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
		"is none":         "hello\r\n\r\n",
		"knows no key":    upgraded,
		"says nothing":    "",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				said := make(chan string, 2)
				said <- upgraded
				said <- answer
				left := make(chan struct{})
				b.engine.SetImage(image, fake.Image{Program: fake.Serves(vncPort, func(_ context.Context, conn net.Conn) {
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = io.WriteString(conn, <-said)
					_, _ = io.Copy(io.Discard, conn)
					left <- struct{}{}
				})})
				if _, err := b.Start(t.Context(), "alice", session.Request{App: "desk"}); err != nil {
					t.Fatal(err)
				}
				<-left
				if _, err := b.Picture(t.Context(), "alice", 0); !errors.Is(err, session.ErrNoPicture) {
					t.Errorf("error %v", err)
				}
				<-left // The connection is closed.
			}, understood(func(app *catalog.App) {
				app.Endpoints = []catalog.Endpoint{{Name: "vnc", Port: vncPort, Protocol: catalog.WebSocket, Path: "/websockify", VNC: true}}
			}))
		})
	}
}

// TestSecretOfAnEndpoint: an endpoint that wants the desktop's password gets it before
// anything that the client sends, and others get nothing.
func TestSecretOfAnEndpoint(t *testing.T) {
	for _, secret := range []bool{true, false} {
		bubble(t, func(t *testing.T, b *bench) {
			heard := make(chan string, 1)
			b.engine.SetImage(image, fake.Image{Program: both(fake.VNC(vncPort), fake.Serves(5901, func(_ context.Context, conn net.Conn) {
				all, _ := io.ReadAll(conn)
				heard <- string(all)
			}))})
			s := b.start("alice")
			a, err := b.Attach(t.Context(), s.Token, "audio")
			if err != nil {
				t.Fatal(err)
			}
			defer a.Release()
			conn, err := a.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "hello"); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			want := "hello"
			if _, password := b.RecordOf("alice"); secret {
				want = password + "\n" + want
			}
			if got := <-heard; got != want {
				t.Errorf("the endpoint heard %q, want %q", got, want)
			}
		}, understood(func(app *catalog.App) { app.Endpoints[1].Secret = secret }))
	}
}

// both is a container's program that runs two.
func both(first, second fake.Program) fake.Program {
	return func(ctx context.Context, p *fake.Process) int {
		done := make(chan struct{})
		go func() {
			defer close(done)
			second(ctx, p)
		}()
		code := first(ctx, p)
		<-done
		return code
	}
}
