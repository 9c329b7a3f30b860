package runtimetest

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

// latePort is a port on which the test program listens when it is told to.
const latePort = 7001

func dialCases() []testCase {
	return []testCase{
		{"a port on which nothing listens yet refuses", testDialRefused},
		{"dial wants a running container", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			id := s.create(t, spec)
			s.want(t, dialError(t, s, id, app.HTTPPort), "dial", runtime.ErrConflict)
			_, err := s.rt.Route(t.Context(), id, app.HTTPPort)
			s.want(t, err, "route", runtime.ErrConflict)
			if err := s.rt.Start(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			(&probe{rt: s.rt, id: id}).await(t)
			if err := s.rt.Stop(t.Context(), id, 0); err != nil {
				t.Fatal(err)
			}
			s.want(t, dialError(t, s, id, app.HTTPPort), "dial", runtime.ErrConflict)
			_, err = s.rt.Route(t.Context(), id, app.HTTPPort)
			s.want(t, err, "route", runtime.ErrConflict)
		}},
		{"dial of a port that is not published", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort))
			if !s.info.Capabilities.ContainerAddress {
				s.want(t, dialError(t, s, p.id, app.EchoPort), "dial", runtime.ErrInvalid)
				_, err := s.rt.Route(t.Context(), p.id, app.EchoPort)
				s.want(t, err, "route", runtime.ErrInvalid)
				return
			}
			conn := dial(t, s, p.id, app.EchoPort)
			if err := echo(conn, []byte("hello")); err != nil {
				t.Error(err)
			}
		}},
		{"a container's address is reachable where that is claimed", func(t *testing.T, s *scope) {
			if !s.info.Capabilities.ContainerAddress {
				t.Skip("not claimed")
			}
			p := s.run(t, s.spec(t))
			address := s.inspect(t, p.id).Address
			if !address.IsValid() {
				t.Fatal("claimed, but Inspect gives no address")
			}
			conn, err := s.host.Dial(t.Context(), netip.AddrPortFrom(address, app.EchoPort))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := echo(conn, []byte("hello")); err != nil {
				t.Error(err)
			}
		}},
		{"dial carries a lot both ways at once", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort, app.EchoPort))
			data := make([]byte, 1<<20)
			if _, err := rand.Read(data); err != nil {
				t.Fatal(err)
			}
			if err := echo(dial(t, s, p.id, app.EchoPort), data); err != nil {
				t.Error(err)
			}
		}},
		{"many connections at once", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort, app.EchoPort))
			var group sync.WaitGroup
			for i := range 20 {
				group.Go(func() {
					conn, err := s.rt.Dial(t.Context(), p.id, app.EchoPort)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					if err := echo(conn, []byte("connection "+strconv.Itoa(i))); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}},
		{"a connection outlives the context of its dial", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort, app.EchoPort))
			ctx, cancel := context.WithCancel(t.Context())
			conn, err := s.rt.Dial(ctx, p.id, app.EchoPort)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			cancel()
			for range 3 {
				if err := echo(conn, []byte("still here")); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"a read deadline of a connection is kept", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort, app.EchoPort))
			conn := dial(t, s, p.id, app.EchoPort)
			if err := conn.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
				t.Fatal(err)
			}
			_, err := conn.Read(make([]byte, 1))
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("read gave %v, want a time-out", err)
			}
			if err := echo(conn, []byte("after a time-out")); err != nil {
				t.Error(err)
			}
		}},
		{"a connection ends with its container", func(t *testing.T, s *scope) {
			p := s.run(t, s.spec(t, app.HTTPPort, app.EchoPort))
			conn := dial(t, s, p.id, app.EchoPort)
			if err := echo(conn, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			s.remove(t, p.id)
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			_, err := conn.Read(make([]byte, 1))
			if err == nil {
				t.Error("read something from a removed container")
			}
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the connection outlived its container")
			}
		}},
		{"one direction ends alone where the connection can do that", testHalfClose},
	}
}

func dial(t *testing.T, s *scope, id runtime.ID, port uint16) net.Conn {
	t.Helper()
	conn, err := s.rt.Dial(t.Context(), id, port)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func dialError(t *testing.T, s *scope, id runtime.ID, port uint16) error {
	t.Helper()
	conn, err := s.rt.Dial(t.Context(), id, port)
	if err == nil {
		conn.Close()
	}
	return err
}

func testDialRefused(t *testing.T, s *scope) {
	p := s.run(t, s.spec(t, app.HTTPPort, latePort))
	for range 10 {
		s.want(t, dialError(t, s, p.id, latePort), "dial", runtime.ErrRefused)
	}
	route, err := s.rt.Route(t.Context(), p.id, latePort)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_, err := route(t.Context())
		s.want(t, err, "dial", runtime.ErrRefused)
	}
	p.post(t, "/listen?port="+strconv.Itoa(latePort), "")
	if err := echo(dial(t, s, p.id, latePort), []byte("hello")); err != nil {
		t.Error(err)
	}
	conn, err := route(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := echo(conn, []byte("hello")); err != nil {
		t.Error(err)
	}
}

// testHalfClose ends the direction to the container and wants all that comes
// back still.
func testHalfClose(t *testing.T, s *scope) {
	p := s.run(t, s.spec(t, app.HTTPPort, app.EchoPort))
	conn := dial(t, s, p.id, app.EchoPort)
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		t.Skip("the connection has no CloseWrite")
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	const text = "the last words"
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(conn)
	if err != nil || string(back) != text {
		t.Errorf("read %q, %v, want %q and the end", back, err, text)
	}
}
