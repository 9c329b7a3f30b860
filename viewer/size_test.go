package viewer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sage/rfb"
	"sage/viewer"
)

const debounce = 150 * time.Millisecond

// settle lets timers go off that were armed by now.
func settle() {
	time.Sleep(debounce)
	synctest.Wait()
}

func wrote(t *testing.T, who string, d *desktop, want ...[]byte) {
	t.Helper()
	if got, want := d.got(), bytes.Join(want, nil); !bytes.Equal(got, want) {
		t.Errorf("%s: got %x, want %x", who, got, want)
	}
}

func TestOnlyTheLastSizeOfABurstGoesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{})
		for i := range uint16(10) {
			fromClient(t, v, key, size(100+i, 100), ask)
			time.Sleep(debounce - time.Millisecond)
		}
		wrote(t, "burst", d, bytes.Repeat(bytes.Join([][]byte{key, ask}, nil), 10))
		settle()
		wrote(t, "afterwards", d, size(109, 100))
		settle()
		wrote(t, "later", d)
	})
}

func TestOthersAreToldTheSizeInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := viewer.NewDesk(viewer.Options{})
		a, da := join(t, desk, viewer.Policy{})
		b, db := join(t, desk, viewer.Policy{Clipboard: viewer.ClipboardNone})
		looker, dl := join(t, desk, viewer.Policy{ViewOnly: true})
		fromClient(t, looker, size(1, 1))
		fromClient(t, a, size(100, 100))
		fromClient(t, b, size(200, 200))
		settle()
		settle()
		wrote(t, "holder", da, size(100, 100))
		wrote(t, "other", db, size(100, 100))
		wrote(t, "looker", dl)

		// As noVNC does: whoever is told another size asks again at once.
		for range 100 {
			fromClient(t, b, size(200, 200))
			settle()
		}
		wrote(t, "other, asking again", db)
		da.got() // The holder's wish goes out again by itself, see TestARefusedSizeIsRepeated.
		fromClient(t, a, size(101, 101))
		settle()
		settle()
		wrote(t, "holder", da, size(101, 101))
		wrote(t, "other, after a change", db, size(101, 101))

		// One that wants something else each time gets one answer per debounce time.
		for i := range uint16(40) {
			fromClient(t, b, size(300+i, 300))
			time.Sleep(debounce / 10)
			synctest.Wait()
		}
		settle()
		if n := len(db.got()) / len(size(0, 0)); n < 2 || n > 6 {
			t.Errorf("%d answers within 4 debounce times", n)
		}
	})
}

// TestTheHolderRepeatsItself as noVNC does whose element is 100.5 pixels wide: whenever it is answered, at once.
func TestTheHolderRepeatsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := viewer.NewDesk(viewer.Options{})
		a, da := join(t, desk, viewer.Policy{})
		b, db := join(t, desk, viewer.Policy{})
		fromClient(t, a, size(100, 100))
		settle()
		wrote(t, "holder", da, size(100, 100))
		fromClient(t, b, size(200, 200))
		settle()
		fromClient(t, b, size(200, 200))
		wrote(t, "other", db, size(100, 100))
		answers := 0
		for began := time.Now(); time.Since(began) < time.Minute; {
			fromClient(t, a, size(100, 100))
			asked := time.Now()
			for len(da.got()) == 0 {
				settle()
				if time.Since(asked) > 3*time.Second {
					t.Fatal("the holder is not answered, and will never ask for another size")
				}
			}
			answers++
		}
		if answers > 40 {
			t.Errorf("%d answers within a minute", answers)
		}
		wrote(t, "other, for whom nothing is new", db)
		fromClient(t, a, size(101, 101))
		settle()
		settle()
		wrote(t, "holder, with another wish", da, size(101, 101))
		wrote(t, "other", db, size(101, 101))
	})
}

func TestTheNextTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := viewer.NewDesk(viewer.Options{})
		a, _ := join(t, desk, viewer.Policy{})
		b, db := join(t, desk, viewer.Policy{})
		c, dc := join(t, desk, viewer.Policy{})
		fromClient(t, a, size(100, 100))
		settle()
		fromClient(t, c, size(300, 300))
		fromClient(t, b, size(200, 200))
		fromClient(t, c, size(301, 301))
		settle()
		wrote(t, "b", db, size(100, 100))
		wrote(t, "c", dc, size(100, 100))

		// The server is getting a long text of c's when a leaves.
		text := cutText(6, "a long text")
		fromClient(t, c, text[:12])
		a.Leave()
		settle()
		wrote(t, "c, within a text", dc, text[:12])
		fromClient(t, c, text[12:], key)
		wrote(t, "c, behind it", dc, text[12:], key, size(301, 301))
		c.Leave()
		settle()
		wrote(t, "b, the last", db, size(200, 200))
	})
}

func TestHolderLeavesBeforeItsWishIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := viewer.NewDesk(viewer.Options{})
		a, da := join(t, desk, viewer.Policy{})
		b, db := join(t, desk, viewer.Policy{})
		fromClient(t, a, size(100, 100))
		fromClient(t, b, size(200, 200))
		a.Leave()
		a.Leave()
		fromClient(t, a, size(101, 101))
		settle()
		settle()
		wrote(t, "a", da)
		wrote(t, "b", db, size(200, 200))
	})
}

func TestAViewerThatIsNotUnderstoodHoldsNoSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := viewer.NewDesk(viewer.Options{})
		a, da := join(t, desk, viewer.Policy{})
		b, db := join(t, desk, viewer.Policy{})
		fromClient(t, a, size(100, 100))
		fromClient(t, b, size(200, 200))
		fromClient(t, a, []byte{252})
		settle()
		wrote(t, "a", da, []byte{252})
		wrote(t, "b", db, size(200, 200))
		fromClient(t, a, size(100, 100))
		wrote(t, "a, unseen", da, size(100, 100))
	})
}

func TestSizeCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, d := join(t, viewer.NewDesk(viewer.Options{}), viewer.Policy{})
		fromClient(t, v, size(100, 100))
		d.mu.Lock()
		d.fail = errors.New("gone")
		d.mu.Unlock()
		settle()
		if err := v.FromClient(nil); !errors.Is(err, d.fail) {
			t.Errorf("error %v", err)
		}
	})
}

// refuser plays a server that, as TurboVNC does, changes no size as long as one of its connections has not announced that
// it follows changes of size.
type refuser struct {
	mu     sync.Mutex
	silent int
	width  uint16 // The size in force.
	asked  []uint16
}

// refuserConn is a connection to it. What is written are whole messages.
type refuserConn struct {
	net.Conn
	server    *refuser
	announced bool
}

func (r *refuser) connect() *refuserConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent++
	return &refuserConn{server: r}
}

// leave ends a connection.
func (c *refuserConn) leave() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if !c.announced {
		c.server.silent--
	}
}

func (c *refuserConn) Write(b []byte) (int, error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	switch {
	case b[0] == 2 && !c.announced && bytes.Contains(b, []byte{0xff, 0xff, 0xfe, 0xcc}):
		c.announced = true
		c.server.silent--
	case b[0] == 251:
		width := binary.BigEndian.Uint16(b[2:])
		c.server.asked = append(c.server.asked, width)
		if c.server.silent == 0 {
			c.server.width = width
		}
	}
	return len(b), nil
}

// now gives the size in force, and the ones asked for since the last call.
func (r *refuser) now() (width uint16, asked []uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked, r.asked = r.asked, nil
	return r.width, asked
}

func TestARefusedSizeIsRepeated(t *testing.T) {
	follows := announce(rfb.EncodingRaw, rfb.EncodingExtendedDesktopSize)
	start := func(t *testing.T) (*refuser, *viewer.Desk, *viewer.Viewer) {
		server, desk := &refuser{}, viewer.NewDesk(viewer.Options{})
		a := desk.Join(viewer.Policy{}, nil, server.connect())
		t.Cleanup(a.Leave)
		fromClient(t, a, follows)
		return server, desk, a
	}
	expect := func(t *testing.T, server *refuser, width uint16, asked ...uint16) {
		t.Helper()
		if w, got := server.now(); w != width || !slices.Equal(got, asked) {
			t.Errorf("the width is %d, asked for were %v, want %d and %v", w, got, width, asked)
		}
	}
	run := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
	run("a picture is taken", func(t *testing.T) {
		server, _, a := start(t)
		picture := server.connect()
		fromClient(t, a, size(100, 100))
		settle()
		expect(t, server, 0, 100)
		picture.leave()
		time.Sleep(time.Second)
		synctest.Wait()
		expect(t, server, 100, 100)
		time.Sleep(time.Hour)
		synctest.Wait()
		expect(t, server, 100, 100, 100) // Bounded.
	})
	run("a silent connection stays for a while", func(t *testing.T) {
		server, _, a := start(t)
		silent := server.connect()
		fromClient(t, a, size(100, 100))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		expect(t, server, 0, 100, 100, 100)
		silent.leave()
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(t, server, 100, 100)
	})
	run("a viewer joins", func(t *testing.T) {
		server, desk, a := start(t)
		b := desk.Join(viewer.Policy{ViewOnly: true}, nil, server.connect())
		t.Cleanup(b.Leave)
		fromClient(t, a, size(100, 100))
		settle()
		expect(t, server, 0, 100)
		fromClient(t, b, announce(rfb.EncodingRaw))
		settle()
		expect(t, server, 0)
		fromClient(t, b, follows)
		settle()
		expect(t, server, 100, 100) // At once, and not after a pause.
		fromClient(t, b, follows)
		c := desk.Join(viewer.Policy{}, nil, server.connect())
		t.Cleanup(c.Leave)
		fromClient(t, c, follows)
		settle()
		expect(t, server, 100) // Who joins later is no reason to ask again.
	})
	run("a viewer leaves", func(t *testing.T) {
		server, desk, a := start(t)
		conn := server.connect()
		b := desk.Join(viewer.Policy{}, nil, conn)
		fromClient(t, a, size(100, 100))
		settle()
		conn.leave()
		b.Leave()
		settle()
		expect(t, server, 100, 100, 100)
	})
	run("the holder changes its mind", func(t *testing.T) {
		server, _, a := start(t)
		fromClient(t, a, size(100, 100))
		settle()
		fromClient(t, a, size(101, 101))
		settle()
		expect(t, server, 101, 100, 101)
		time.Sleep(time.Hour)
		synctest.Wait()
		expect(t, server, 101, 101, 101, 101)
	})
	run("the holder leaves", func(t *testing.T) {
		server, desk, a := start(t)
		b := desk.Join(viewer.Policy{}, nil, server.connect())
		fromClient(t, a, size(100, 100))
		settle()
		a.Leave()
		b.Leave()
		time.Sleep(time.Hour)
		synctest.Wait()
		expect(t, server, 0, 100)
	})
}
