package viewer_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"sage/rfb"
	"sage/rfb/rfbtest"
	"sage/viewer"
)

// patience bounds the wait for what must happen; it is no measure of anything.
const patience = 30 * time.Second

// through opens a connection to the server that goes through a viewer, as the gateway does it. Its end is the client's.
// Broken gets why the viewer ended the connection.
func through(t testing.TB, desk *viewer.Desk, p viewer.Policy, server *rfbtest.Server) (client net.Conn, broken <-chan error) {
	t.Helper()
	upstream := server.Dial(t)
	here, there := socketPair(t)
	v := desk.Join(p, there, upstream)
	errs := make(chan error, 2)
	end := func(err error) {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			errs <- err
		}
		_ = upstream.Close()
		_ = there.Close()
	}
	var all sync.WaitGroup
	all.Go(func() {
		defer v.Leave()
		if err := v.Handshake(t.Context()); err != nil {
			end(err)
			return
		}
		var down sync.WaitGroup
		down.Go(func() { end(pump(upstream, func(b []byte) error { return show(v, there, b) })) })
		end(pump(there, v.FromClient))
		down.Wait()
	})
	t.Cleanup(func() {
		_ = here.Close()
		all.Wait()
	})
	return here, errs
}

func pump(from io.Reader, to func([]byte) error) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if err := to(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

func show(v *viewer.Viewer, client io.Writer, b []byte) error {
	if v.FiltersServer() {
		var err error
		if b, err = v.ToClient(b); err != nil {
			return err
		}
	}
	_, err := client.Write(b)
	return err
}

// socketPair gives both ends of a connection with a buffer.
func socketPair(t testing.TB) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if here, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.Close(); _ = there.Close() })
	return here, there
}

// watcher is a client that shows nothing and takes note of what it is told.
type watcher struct {
	t    testing.TB
	conn net.Conn
	said chan heard // What the server said; closed at the end of the connection.
}

// heard is a message that a watcher has heard: the head of its first piece is enough for a clipboard or a size.
type heard struct {
	kind rfb.ServerMessageType
	data []byte
}

// watch does the handshake on conn and announces encodings, beside Raw.
func watch(t testing.TB, conn net.Conn, encodings ...rfb.Encoding) *watcher {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := rfb.Authenticate(conn, ""); err != nil {
		t.Fatal(err)
	}
	init, err := rfb.Initialise(conn, true)
	if err != nil {
		t.Fatal(err)
	}
	s := new(rfb.ServerScanner)
	if err := s.SetPixelFormat(init.Format); err != nil {
		t.Fatal(err)
	}
	w := &watcher{t: t, conn: conn, said: make(chan heard, 1000)}
	go func() {
		defer close(w.said)
		var h heard
		_ = pump(conn, func(b []byte) error {
			for {
				m, rest, err := s.Next(b)
				if err != nil || m.Bytes == nil {
					return err
				}
				b = rest
				if m.First {
					h = heard{kind: m.Type}
				}
				h.data = append(h.data, m.Bytes...)
				if m.Last {
					w.said <- h
				}
			}
		})
	}()
	w.send(announce(append(encodings, rfb.EncodingRaw)...))
	return w
}

func (w *watcher) send(parts ...[]byte) {
	w.t.Helper()
	for _, p := range parts {
		if _, err := w.conn.Write(p); err != nil {
			w.t.Fatal(err)
		}
	}
}

// until gives everything up to the first message that is wanted.
func (w *watcher) until(what string, wanted func(heard) bool) (all []heard) {
	w.t.Helper()
	for h := range w.said {
		if all = append(all, h); wanted(h) {
			return all
		}
	}
	w.t.Fatalf("%s did not come", what)
	return nil
}

// barrier returns once the server has dealt with all that was sent before: it gave a pixel that was asked for then. It
// gives what came meanwhile.
func (w *watcher) barrier() (all []heard) {
	w.t.Helper()
	// Where its screens may be told, Xtigervnc does only that at first, and then owes the pixel.
	for incremental := byte(0); len(all) == 0 || !hasPixels(all[len(all)-1]); incremental = 1 {
		w.send([]byte{3, incremental, 0, 0, 0, 0, 0, 1, 0, 1})
		all = append(all, w.until("an update", func(h heard) bool { return h.kind == rfb.MsgFramebufferUpdate })...)
	}
	return all
}

// rectangles goes over the rectangles of an update, as far as a watcher announces them.
func rectangles(h heard, f func(x, y, w, hgt int, e rfb.Encoding)) {
	b := h.data[4:]
	for n := int(binary.BigEndian.Uint16(h.data[2:])); n > 0 && len(b) >= 12; n-- {
		x, y := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		width, height := int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:]))
		e := rfb.Encoding(int32(binary.BigEndian.Uint32(b[8:])))
		f(x, y, width, height, e)
		b = b[12:]
		switch e {
		case rfb.EncodingRaw:
			b = b[width*height*4:]
		case rfb.EncodingExtendedDesktopSize:
			b = b[4+16*int(b[0]):]
		case rfb.EncodingQEMUKeyEvent:
		case rfb.EncodingQEMULEDState:
			b = b[1:]
		default:
			return
		}
	}
}

func hasPixels(h heard) (has bool) {
	rectangles(h, func(_, _, _, _ int, e rfb.Encoding) { has = has || e == rfb.EncodingRaw })
	return has
}
