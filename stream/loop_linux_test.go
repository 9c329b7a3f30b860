package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
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

// patience bounds the wait for what must happen; it is no measure of anything.
const patience = 30 * time.Second

// echo answers what comes by a line, as a task in its loop; the channel gives why it has ended.
func echo(l *line) <-chan error {
	ended := make(chan error, 1)
	startTask(func(t *task) {
		src, out := newSource(t, l, newBuffers(1<<10), nil), newSink(l, patience)
		for {
			err := src.next(1<<10, func(p piece) error {
				_, err := out.Write(t, p.bytes(), false)
				return err
			})
			if err != nil {
				ended <- err
				return
			}
		}
	})
	return ended
}

func result(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Fatal("the task does not end")
		return nil
	}
}

// TestALineGoesOnInALoop: nothing is lost, others than its task may write to it, too, and nothing is left over.
func TestALineGoesOnInALoop(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	before := files(t)
	l, peer := newTestLine(t)
	say(t, l, "before")
	expect(t, peer, "before")
	say(t, peer, "early")
	all := loops{newLoop()}
	all.join(l)
	if in, _ := looped(l); in == nil {
		t.Fatal("it has not joined the loop")
	}
	ended := echo(l)
	expect(t, peer, "early")
	for range 100 {
		say(t, peer, "ping")
		expect(t, peer, "ping")
	}
	say(t, l, "between")
	expect(t, peer, "between")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := result(t, ended); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the task ended with %v", err)
	}
	l.release()
	if _, err := l.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	expectEnd(t, peer)
	_ = peer.Close()
	goleak.VerifyNone(t, ignore) // The loop ends with its last line.
	// There may be fewer, where an earlier test has closed its own late.
	if after := files(t); after > before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}

func expectEnd(t *testing.T, peer *net.TCPConn) {
	t.Helper()
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the peer of what has ended reads: %v", err)
	}
}

// TestLinesJoinTogetherOrNotAtAll: one that cannot join leaves the others as they were.
func TestLinesJoinTogetherOrNotAtAll(t *testing.T) {
	before := files(t)
	l, peer := newTestLine(t)
	closed, _ := newTestLine(t)
	_ = closed.Close()
	all := loops{newLoop()}
	all.join(l, closed)
	all.join(l, peer)
	if in, _ := looped(l); in != nil {
		t.Fatal("it has joined alone")
	}
	say(t, l, "on")
	expect(t, peer, "on")
	_ = l.Close()
	expectEnd(t, peer)
	_ = peer.Close()
	for deadline := time.Now().Add(patience); files(t) > before+1; time.Sleep(time.Millisecond) { // The other's peer.
		if time.Now().After(deadline) {
			t.Fatalf("%d files are open, %d were", files(t), before)
		}
	}
}

// TestAPeerThatTakesNothing: a task's write ends at its deadline, one from elsewhere at its own, and closing ends both.
func TestAPeerThatTakesNothing(t *testing.T) {
	const much = 64 << 20
	l, peer := newTestLine(t)
	loops{newLoop()}.join(l)
	defer l.release()
	write := func(timeout time.Duration) <-chan error {
		ended := make(chan error, 1)
		startTask(func(t *task) {
			_, err := newSink(l, timeout).Write(t, make([]byte, much), false)
			ended <- err
		})
		return ended
	}
	if err := result(t, write(50*time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a task's write ended with %v", err)
	}
	if _, err := newSink(l, 50*time.Millisecond).Write(nil, make([]byte, much), false); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write from elsewhere ended with %v", err)
	}
	byTask := write(time.Hour)
	elsewhere := make(chan error, 1)
	go func() {
		_, err := newSink(l, time.Hour).Write(nil, make([]byte, much), false)
		elsewhere <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, ended := range []<-chan error{byTask, elsewhere} {
		if err := result(t, ended); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closing ended it with %v", err)
		}
	}
	_ = peer.Close()
}

// TestAPeerThatBreaksOff: a task learns it, and the loop does not go on about it when nobody waits.
func TestAPeerThatBreaksOff(t *testing.T) {
	l, peer := newTestLine(t)
	all := loops{newLoop()}
	all.join(l)
	defer l.release()
	ended := echo(l)
	_ = peer.SetLinger(0)
	_ = peer.Close()
	if err := result(t, ended); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("the task ended with %v", err)
	}
	loop := l.loop
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		loop.mu.Lock()
		broken := l.broken
		loop.mu.Unlock()
		if broken {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the loop is told of it again and again")
		}
	}
	if err := result(t, echo(l)); err == nil {
		t.Error("a later wait did not end")
	}
}

// TestALeavingTaskHoldsUpNoOther: what waits outside of the loop is not waited for in it, and comes back.
func TestALeavingTaskHoldsUpNoOther(t *testing.T) {
	all := loops{newLoop()}
	l, peer := newTestLine(t)
	other, otherPeer := newTestLine(t)
	all.join(l)
	all.join(other)
	defer l.release()
	defer other.release()
	outside, back, again := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	startTask(func(t *task) {
		for range 2 {
			if err := t.wait(l, readable, time.Time{}); err != nil {
				again <- err
				return
			}
			t.leave()
			close(outside)
			<-back
		}
		again <- nil
	})
	say(t, peer, "x") // It stays unread, so that both waits end.
	<-outside
	outside = make(chan struct{})
	ended := echo(other)
	say(t, otherPeer, "ping")
	expect(t, otherPeer, "ping")
	close(back)
	if err := result(t, again); err != nil {
		t.Error(err)
	}
	_ = other.Close()
	_ = result(t, ended)
}
