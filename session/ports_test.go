package session

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPortsAreLentOnce(t *testing.T) {
	p := newPorts(100, 110)
	seen := map[uint16]bool{}
	for range 5 {
		got, err := p.lease("a", 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range got {
			if port < 100 || port >= 110 {
				t.Errorf("port %d is not in [100, 110)", port)
			}
			if seen[port] {
				t.Errorf("port %d is lent twice", port)
			}
			seen[port] = true
		}
	}
	_, err := p.lease("b", 1)
	var full *PortsError
	if !errors.As(err, &full) || !errors.Is(err, ErrPortsExhausted) {
		t.Fatalf("got %v", err)
	}
	if want := (PortsError{Start: 100, End: 110, Leased: 10, Held: 0, Wanted: 1}); *full != want {
		t.Errorf("got %+v, want %+v", *full, want)
	}
	if !strings.Contains(err.Error(), "PORT_RANGE_END") {
		t.Errorf("%q does not say what to do", err)
	}
	if p.count() != 10 {
		t.Errorf("a refused lease changed the count to %d", p.count())
	}
}

func TestPortsAreLentTogetherOrNotAtAll(t *testing.T) {
	p := newPorts(100, 103)
	if _, err := p.lease("a", 4); !errors.Is(err, ErrPortsExhausted) {
		t.Fatalf("got %v", err)
	}
	if p.count() != 0 {
		t.Errorf("%d ports are lent", p.count())
	}
	if got, err := p.lease("a", 3); err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReleaseTakesOnlyWhatIsTheUIDs(t *testing.T) {
	p := newPorts(100, 101)
	got, err := p.lease("a", 1)
	if err != nil {
		t.Fatal(err)
	}
	p.release("b", got)
	if p.count() != 1 {
		t.Error("b gave back a's port")
	}
	p.release("a", got)
	p.release("a", got)
	if p.count() != 0 {
		t.Error("the port is lent still")
	}
}

func TestAdoptedPortsAreLent(t *testing.T) {
	p := newPorts(100, 102)
	p.adopt("a", []uint16{100, 102, 99, 5}) // 100 alone is in the range.
	if p.count() != 1 {
		t.Fatalf("%d ports are lent", p.count())
	}
	got, err := p.lease("b", 1)
	if err != nil || got[0] != 101 {
		t.Errorf("got %v, %v", got, err)
	}
	p.release("a", []uint16{100, 102, 99, 5})
	if p.count() != 1 {
		t.Errorf("%d ports are lent", p.count())
	}
}

func TestHeldPortsRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPorts(100, 102)
		got, err := p.lease("a", 1)
		if err != nil {
			t.Fatal(err)
		}
		p.release("a", got)
		p.rest(got)
		for range 5 {
			other, err := p.lease("a", 1)
			if err != nil || other[0] == got[0] {
				t.Fatalf("got %v, %v", other, err)
			}
			p.release("a", other)
		}
		_, err = p.lease("a", 2)
		var full *PortsError
		if !errors.As(err, &full) || full.Held != 1 || full.Leased != 0 || full.Wanted != 2 {
			t.Fatalf("got %v", err)
		}
		time.Sleep(heldFor)
		if again, err := p.lease("a", 2); err != nil || !slices.Contains(again, got[0]) {
			t.Errorf("after the rest: got %v, %v", again, err)
		}
	})
}

// TestPortsNeverLeak plays random rounds against a plain map.
func TestPortsNeverLeak(t *testing.T) {
	const start, end, rounds = 1000, 1050, 10_000
	random := rand.New(rand.NewPCG(1, 2))
	p := newPorts(start, end)
	type lease struct {
		uid   string
		ports []uint16
	}
	var leases []lease
	lent := 0
	for range rounds {
		uid := string(rune('a' + random.IntN(26)))
		switch n := random.IntN(3); {
		case n > 0 || len(leases) == 0:
			want := 1 + random.IntN(3)
			got, err := p.lease(uid, want)
			if err != nil {
				if end-start-lent >= want {
					t.Fatalf("%d ports are free: %v", end-start-lent, err)
				}
				continue
			}
			for _, l := range leases {
				for _, port := range got {
					if slices.Contains(l.ports, port) {
						t.Fatalf("port %d is lent twice", port)
					}
				}
			}
			leases = append(leases, lease{uid, got})
			lent += len(got)
		default:
			i := random.IntN(len(leases))
			l := leases[i]
			leases = slices.Delete(leases, i, i+1)
			p.release(l.uid, l.ports)
			lent -= len(l.ports)
		}
		if p.count() != lent {
			t.Fatalf("%d ports are lent, the book has %d", lent, p.count())
		}
	}
	for _, l := range leases {
		p.release(l.uid, l.ports)
	}
	if got, err := p.lease("last", end-start); err != nil || len(got) != end-start {
		t.Errorf("after %d rounds: %v", rounds, err)
	}
}

func TestTakenNamesTheStrangersPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	held := uint16(l.Addr().(*net.TCPAddr).Port)
	ip := netip.MustParseAddr("127.0.0.1")
	if got := taken(ip, []uint16{held, free(t)}); !slices.Equal(got, []uint16{held}) {
		t.Errorf("got %v, want %d alone", got, held)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	both := []uint16{held, free(t)}
	if got := taken(ip, both); !slices.Equal(got, both) {
		t.Errorf("nothing is seen from here: got %v, want all of %v", got, both)
	}
}

// free is a port that nobody listens on.
func free(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// count is the number of leased ports.
func (p *ports) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.leased)
}
