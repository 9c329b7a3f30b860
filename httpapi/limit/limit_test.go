package limit_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"sage/httpapi/limit"
)

func TestSource(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := limit.Source(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := limit.Source(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address: %s", got)
	}
}

// TestHolds: one source has its share and never more than half, and what is given
// back twice counts once.
func TestHolds(t *testing.T) {
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	h := limit.NewHolds(10, 100)
	var release func()
	for i := range 5 {
		r, ok := h.Take(one, false)
		if !ok {
			t.Fatal(i)
		}
		release = r
	}
	if _, ok := h.Take(one, false); ok {
		t.Error("one source has more than half")
	}
	for i := range 5 {
		if _, ok := h.Take(other, true); !ok {
			t.Error(i)
		}
	}
	if _, ok := h.Take(other, true); ok {
		t.Error("there is more than the total")
	}
	release()
	release()
	for i, want := range []bool{true, false} {
		if _, ok := h.Take(one, false); ok != want {
			t.Errorf("after one was given back: %d, %v", i, ok)
		}
	}
	unlimited := limit.NewHolds(0, 0)
	for range 1000 {
		if _, ok := unlimited.Take(one, false); !ok {
			t.Fatal("zero is a limit")
		}
	}
}

// TestRates: a source has a burst and then one in each interval, and so many
// sources are remembered.
func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.NewRates(time.Second, 3, 2)
		one := netip.MustParseAddr("192.0.2.1")
		allowed := func() (n int) {
			for range 10 {
				if r.Allow(one) {
					n++
				}
			}
			return n
		}
		if n := allowed(); n != 3 {
			t.Errorf("%d at once", n)
		}
		<-time.After(2 * time.Second)
		if n := allowed(); n != 2 {
			t.Errorf("%d after 2 s", n)
		}
		for i := range 1000 {
			if !r.Allow(netip.MustParseAddr(fmt.Sprintf("198.51.%d.%d", i/250, i%250))) {
				t.Error("another source is limited")
			}
		}
		if n := allowed(); n != 3 {
			t.Errorf("%d after it was forgotten", n)
		}
	})
}

// TestDigest: the first event at once, the others as a number, none twice.
func TestDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		d := limit.NewDigest(time.Second, func(n int) { reports = append(reports, n) })
		note := func(n int) {
			for range n {
				d.Note()
			}
		}
		note(10)
		<-time.After(1500 * time.Millisecond)
		note(5)
		<-time.After(10 * time.Second)
		note(3)
		d.Flush()
		d.Flush()
		<-time.After(10 * time.Second)
		if got := fmt.Sprint(reports); got != "[1 9 5 1 2]" {
			t.Errorf("reports %s", got)
		}
	})
}

// TestBusyConnectionsMakeRoom: connections that ask again and again, for all of which
// the server is at work, do not shut a new client out; those that ask seldom stay.
func TestBusyConnectionsMakeRoom(t *testing.T) {
	const total = 8
	conns := limit.NewConns(limit.ConnOptions{Logger: slog.New(slog.DiscardHandler), Total: total})
	server := &http.Server{}
	conns.Bound(server)
	l := newPipeListener()
	bounded := conns.Listener(l)
	accept := func() (net.Conn, *limit.Conn) {
		l.dial()
		conn, err := bounded.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn, limit.ConnOf(server.ConnContext(t.Context(), conn))
	}
	for i := range total {
		_, c := accept()
		for range 1 + 100*(i%2) { // Every second one is busy.
			c.Asked()
		}
	}
	for range total / 2 {
		_, c := accept()
		c.Asked()
	}
	l.dial()
	l.Close()
	if _, err := bounded.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("there was room beside those that ask seldom: %v", err)
	}
}

// pipeListener gives connections in memory.
type pipeListener struct{ conns chan net.Conn }

func newPipeListener() *pipeListener { return &pipeListener{make(chan net.Conn, 100)} }

func (l *pipeListener) dial() {
	_, server := net.Pipe()
	l.conns <- server
}

func (l *pipeListener) Accept() (net.Conn, error) {
	conn, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *pipeListener) Close() error {
	close(l.conns)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
