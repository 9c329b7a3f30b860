package viewer_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"sage/rfb"
	"sage/rfb/rfbtest"
	"sage/viewer"
)

// TestRealServersObeyThePolicy sends hostile streams through a viewer to real servers and asks the X server what arrived.
func TestRealServersObeyThePolicy(t *testing.T) {
	streams := 40
	if n, err := strconv.Atoi(os.Getenv("SAGE_HOSTILE")); err == nil {
		streams = n
	}
	for name, begin := range map[string]func(testing.TB, ...string) *rfbtest.Server{
		"TigerVNC": func(t testing.TB, args ...string) *rfbtest.Server { return rfbtest.Start(t, "", args...) },
		"TurboVNC": rfbtest.StartTurboVNC,
	} {
		t.Run(name, func(t *testing.T) {
			for i, p := range restricted() {
				t.Run(p.Clipboard.String()+map[bool]string{true: ", view only"}[p.ViewOnly], func(t *testing.T) {
					o := observe(t, begin(t), p)
					for name, b := range smuggled() {
						o.pour(name, cut(b, len(b)))
					}
					r := rand.New(rand.NewPCG(9, uint64(i)))
					for n := range streams {
						if t.Failed() {
							return
						}
						o.pour(strconv.Itoa(n), hostile{r}.stream())
					}
				})
			}
		})
	}
}

// observer knows what a desktop looks like to X clients, before and after a stream.
type observer struct {
	t       *testing.T
	policy  viewer.Policy
	server  *rfbtest.Server
	desk    *viewer.Desk
	witness *rfbtest.Witness
	other   *watcher // A viewer of its own.
	copy    func()   // Copies the secret on the desktop.
}

// observe starts to. Nobody but the streams does anything on the desktop.
func observe(t *testing.T, server *rfbtest.Server, p viewer.Policy) *observer {
	o := &observer{t: t, policy: p, server: server, desk: viewer.NewDesk(viewer.Options{}), witness: server.Witness(t)}
	o.other = watch(t, server.Dial(t))
	o.other.barrier()
	o.copy = server.Copy(t, secret)
	return o
}

// pour sends one stream on a connection of its own and reports what it did.
func (o *observer) pour(name string, pieces [][]byte) {
	o.t.Helper()
	upstream := o.server.Dial(o.t)
	_ = upstream.SetDeadline(time.Now().Add(patience))
	here, there := pipe(o.t)
	v := o.desk.Join(o.policy, there, upstream)
	var client sync.WaitGroup
	client.Go(func() {
		if _, err := rfb.Authenticate(here, ""); err == nil {
			_, _ = rfb.Initialise(here, true)
		}
	})
	if err := v.Handshake(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	client.Wait()
	var seen []byte
	var server sync.WaitGroup
	server.Go(func() {
		_ = pump(upstream, func(b []byte) error {
			shown, err := v.ToClient(b)
			seen = append(seen, shown...)
			return err
		})
	})
	for _, piece := range pieces {
		if err := v.FromClient(bytes.Clone(piece)); err != nil {
			break // The viewer has broken the rules, or the server has ended the connection.
		}
	}
	// A server looks at every connection before it answers the same one again.
	for range 3 {
		o.other.barrier()
	}
	did := o.witness.Seen(o.t)
	if o.policy.ViewOnly && len(did) > 0 {
		o.t.Errorf("%s: %v, by %x", name, did, pieces)
	}
	if w, h := o.witness.Size(); o.policy.ViewOnly && (w != 640 || h != 480) {
		o.t.Errorf("%s: the screen has %dx%d pixels, by %x", name, w, h, pieces)
	}
	in := !o.policy.ViewOnly && (o.policy.Clipboard == viewer.ClipboardBoth || o.policy.Clipboard == viewer.ClipboardIn)
	if !in {
		if got := o.server.Paste(o.t); got != secret {
			o.t.Errorf("%s: the clipboard holds %q, by %x", name, got, pieces)
		}
	}
	o.copy()
	o.other.until("the text", func(h heard) bool { return h.kind == rfb.MsgServerCutText })
	o.other.barrier()
	_ = upstream.Close()
	server.Wait()
	v.Leave()
	out := o.policy.Clipboard == viewer.ClipboardBoth || o.policy.Clipboard == viewer.ClipboardOut
	if !out && holds(seen, secret) {
		o.t.Errorf("%s: the desktop's clipboard gets out, by %x", name, pieces)
	}
}

// holds reports whether text stands in b, or in a compressed stream within b.
func holds(b []byte, text string) bool {
	if bytes.Contains(b, []byte(text)) {
		return true
	}
	for i := range len(b) - 1 {
		if b[i] != 0x78 || (uint(b[i])<<8|uint(b[i+1]))%31 != 0 {
			continue
		}
		z, err := zlib.NewReader(bytes.NewReader(b[i:]))
		if err != nil {
			continue
		}
		inflated, _ := io.ReadAll(io.LimitReader(z, 1<<16))
		if bytes.Contains(inflated, []byte(text)) {
			return true
		}
	}
	return false
}

// TestRealSizeInTwoPieces lets Xtigervnc find the first byte of a SetDesktopSize alone, which it then takes for the whole
// message. What it finds in the rest of a restricted viewer's must end the connection.
func TestRealSizeInTwoPieces(t *testing.T) {
	server := rfbtest.Start(t, "")
	other := watch(t, server.Dial(t))
	other.barrier()
	// goesOn reports whether the server does so after a message in two pieces.
	goesOn := func(message []byte) bool {
		conn := server.Dial(t)
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := rfb.Authenticate(conn, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := rfb.Initialise(conn, true); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(message[:1])
		other.barrier()
		other.barrier()
		_, _ = conn.Write(message[1:])
		for range 3 {
			other.barrier()
		}
		_ = conn.SetReadDeadline(time.Now().Add(-time.Second))
		_, err := conn.Read(make([]byte, 1))
		if errors.Is(err, os.ErrDeadlineExceeded) { // Nothing has come, but it may have ended.
			_, err = conn.Write(key)
		}
		return err == nil
	}
	if !goesOn(sizeAndFormat()) {
		t.Error("what a client may send ends the connection: the test shows nothing")
	}
	for _, number := range []uint32{0, 1, 0x01000100, 0x01000000, 0x6b8b4567, 0xffffffff} {
		d := &desktop{}
		v := viewer.NewDesk(viewer.Options{ResizeDebounce: time.Nanosecond}).Join(viewer.Policy{Clipboard: viewer.ClipboardOut}, nil, d)
		message := sizeAndFormat()
		binary.BigEndian.PutUint32(message[8:], number)
		fromClient(t, v, message)
		var written []byte
		for began := time.Now(); len(written) == 0 && time.Since(began) < patience; {
			written = d.got()
		}
		v.Leave()
		if len(written) < 24 {
			t.Fatalf("the server got %x", written)
		}
		if goesOn(written[:24]) {
			t.Errorf("number %#x: the server goes on", number)
		}
	}
}
