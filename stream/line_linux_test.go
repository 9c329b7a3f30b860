package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTestLine gives a line and its peer.
func newTestLine(t *testing.T) (*line, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = peer.Close()
	})
	up, ok := newLine(conn).(*line)
	if !ok {
		t.Fatal("a TCP connection is no line")
	}
	return up, peer.(*net.TCPConn)
}

// files counts the open files of this process.
func files(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// expect reads exactly what is wanted.
func expect(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, want %q", got, err, want)
	}
}

func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatalf("write %q: %v", text, err)
	}
}

// TestALineGoesOnAcrossItsLeave: nothing is lost in either direction, and no file is left over.
func TestALineGoesOnAcrossItsLeave(t *testing.T) {
	before := files(t)
	l, peer := newTestLine(t)
	if err := l.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		say(t, peer, "before")
		fd, ok := l.leave()
		if !ok {
			t.Fatal("it does not leave the poller")
		}
		if !ready(fd, unix.POLLIN, time.Minute) {
			t.Fatal("what came before is lost")
		}
		var b [6]byte
		if n, err := unix.Read(fd, b[:]); err != nil || string(b[:n]) != "before" {
			t.Fatalf("read %q, %v", b[:n], err)
		}
		say(t, l, "off")
		expect(t, peer, "off")
		if err := l.back(); err != nil {
			t.Fatal(err)
		}
		say(t, l, "on")
		expect(t, peer, "on")
		say(t, peer, "after")
		expect(t, l, "after")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	if _, ok := l.leave(); ok {
		t.Error("it leaves after its end")
	}
	expectEnd(t, peer)
	_ = peer.Close()
	if after := files(t); after != before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}

func expectEnd(t *testing.T, peer *net.TCPConn) {
	t.Helper()
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the peer of what has ended reads: %v", err)
	}
}

// TestALineIsClosedWhileOff: who waits for it is told at once, and its file goes with the reader.
func TestALineIsClosedWhileOff(t *testing.T) {
	before := files(t)
	l, peer := newTestLine(t)
	fd, ok := l.leave()
	if !ok {
		t.Fatal("it does not leave the poller")
	}
	done := make(chan bool)
	go func() { done <- ready(fd, unix.POLLIN, time.Minute) }()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !<-done {
		t.Error("the reader was not told")
	}
	if n, err := unix.Read(fd, make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the reader reads %d, %v", n, err)
	}
	if err := l.back(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("back: %v", err)
	}
	expectEnd(t, peer)
	_ = peer.Close()
	if after := files(t); after != before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}

// TestALineOffThePollerWaitsForItsPeer: a write waits until the peer takes it, or its deadline; meanwhile the line may
// come back.
func TestALineOffThePollerWaitsForItsPeer(t *testing.T) {
	l, peer := newTestLine(t)
	if _, ok := l.leave(); !ok {
		t.Fatal("it does not leave the poller")
	}
	if err := l.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	much := make([]byte, 64<<20) // More than the kernel keeps.
	sent, err := l.Write(much)
	if !errors.Is(err, os.ErrDeadlineExceeded) || sent == 0 || sent == len(much) {
		t.Fatalf("%d bytes to a peer that takes nothing: %v", sent, err)
	}
	if err := l.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error)
	go func() {
		_, err := l.Write(much[sent:])
		wrote <- err
	}()
	if err := l.back(); err != nil { // It gets its turn beside a write that waits.
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, peer, int64(len(much))); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// contents gives what a piece has, and empties its pipe.
func contents(t *testing.T, p piece) []byte {
	if p.pipe == nil {
		return p.bytes()
	}
	b := make([]byte, p.pipe.held)
	n, err := io.ReadFull(pipeEnd(p.pipe.r), b)
	if err != nil {
		t.Errorf("the pipe gives %d bytes of %d: %v", n, len(b), err)
	}
	p.pipe.held -= n
	return b
}

// pipeEnd reads from a file.
type pipeEnd int

func (fd pipeEnd) Read(b []byte) (int, error) { return unix.Read(int(fd), b) }

// TestARushTakesItsLineOffThePoller: while much comes, and back when nothing does; it has ended well then, too.
func TestARushTakesItsLineOffThePoller(t *testing.T) {
	before := files(t)
	l, peer := newTestLine(t)
	lent := newPipes()
	src := newSource(l, newBuffers(bufferSize), lent)
	const size = 32 << 20
	sent := make(chan error, 1)
	go func() {
		_, err := peer.Write(make([]byte, size))
		if err == nil {
			_, err = peer.Write([]byte("end"))
		}
		sent <- err
	}()
	got, wasOff := 0, false
	for got < size+3 {
		err := src.next(bufferSize, func(p piece) error {
			got += len(contents(t, p))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wasOff = wasOff || src.off
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !wasOff {
		t.Error("it has never left the poller")
	}
	answered := make(chan error)
	go func() {
		answered <- src.next(bufferSize, func(p piece) error {
			if string(contents(t, p)) != "late" || src.off {
				return errors.New("not what was sent, or still off the poller")
			}
			return nil
		})
	}()
	for conn := net.Conn(nil); conn == nil; conn, _, _, _ = l.now() { //nolint:dogsled // Until it is back.
		time.Sleep(time.Millisecond)
	}
	say(t, peer, "late")
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if len(lent.places) != 0 {
		t.Error("its place was not given back")
	}
	_ = l.Close()
	_ = peer.Close()
	lent.close()
	if after := files(t); after != before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}
