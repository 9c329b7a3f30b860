//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sage/bench/internal/proc"
	"sage/bench/internal/recording"
)

const (
	playerMode = "player"

	// What the player's process is told.
	doHurry = "hurry" // Play without pauses from now on; "pace" undoes that.
	doPace  = "pace"
	doSent  = "sent" // Tell when each message of each stream was sent, and forget it.

	// playerName begins the desktop's name, which tells a viewer the number of its stream.
	playerName = "stream "
)

// player is a stand-in for a VNC server: it plays the server's side of a recording to everyone who connects, and
// hangs up on who does not say what the viewer said.
type player struct {
	rec      *recording.Recording
	messages []recording.Message
	expected []byte // All that a viewer says after the handshake.
	hurry    atomic.Bool

	mu   sync.Mutex
	next int
	sent map[int][]int64 // When each message of each stream was sent, see now.
}

// now is a clock that all processes of this machine share, in nanoseconds.
func now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

// servePlayer is the player's process: it says its address and does what it is told.
func servePlayer(in io.Reader, out io.Writer) error {
	rec, err := working()
	if err != nil {
		return err
	}
	p := &player{rec: rec, messages: rec.Of(false), expected: join(rec.Of(true)), sent: make(map[int][]int64)}
	listener, err := proc.Serve(p.serve)
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Fprintln(out, listener.Addr())
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var answer any = true
		switch lines.Text() {
		case doHurry, doPace:
			p.hurry.Store(lines.Text() == doHurry)
		case doSent:
			p.mu.Lock()
			answer, p.sent = p.sent, make(map[int][]int64)
			p.mu.Unlock()
		}
		if err := gob.NewEncoder(out).Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// join gives the bytes of messages.
func join(messages []recording.Message) []byte {
	var all []byte
	for _, m := range messages {
		all = append(all, m.Bytes...)
	}
	return all
}

// serve plays one stream.
func (p *player) serve(conn net.Conn) {
	defer conn.Close()
	p.mu.Lock()
	id := p.next
	p.next++
	p.mu.Unlock()
	if err := p.greet(conn, id); err != nil {
		return // A probe, or a viewer that has left.
	}
	first, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if p.listen(conn, first) != nil {
			conn.Close()
		}
	}()
	select {
	case <-first:
		p.play(conn, id)
	case <-done:
	}
	<-done
}

// greet goes through the handshake as a server that wants no password (RFC 6143 section 7.1 to 7.3).
func (p *player) greet(conn net.Conn, id int) error {
	name := fmt.Sprint(playerName, id)
	screen := binary.BigEndian.AppendUint16(nil, uint16(p.rec.Width))
	screen = binary.BigEndian.AppendUint16(screen, uint16(p.rec.Height))
	screen = append(screen, p.rec.Format[:]...)
	screen = binary.BigEndian.AppendUint32(screen, uint32(len(name)))
	for _, step := range []struct {
		say    string
		answer int
	}{
		{"RFB 003.008\n", 12}, {"\x01\x01", 1}, {"\x00\x00\x00\x00", 1}, {string(screen) + name, 0},
	} {
		if _, err := io.WriteString(conn, step.say); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, make([]byte, step.answer)); err != nil {
			return err
		}
	}
	return nil
}

// listen checks what the viewer says until it has left; first is closed with its first word.
func (p *player) listen(conn net.Conn, first chan<- struct{}) error {
	buf := make([]byte, 4096)
	for rest := p.expected; ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(rest, buf[:n]) {
			return errors.New("the viewer says something else")
		}
		if len(rest) == len(p.expected) {
			close(first)
		}
		rest = rest[n:]
	}
}

// play sends the messages at their times, and those that are due at once together, as a server does.
func (p *player) play(conn net.Conn, id int) {
	sent := make([]int64, len(p.messages))
	began := time.Now()
	var batch []byte
	for i := 0; i < len(p.messages); {
		if wait := time.Until(began.Add(p.messages[i].At)); wait > 0 && !p.hurry.Load() {
			<-time.After(wait)
		}
		batch = batch[:0]
		first, elapsed := i, time.Since(began)
		for ; i < len(p.messages) && (i == first || p.messages[i].At <= elapsed); i++ {
			batch = append(batch, p.messages[i].Bytes...)
		}
		at := now()
		for k := first; k < i; k++ {
			sent[k] = at
		}
		if _, err := conn.Write(batch); err != nil {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[id] = sent
}
