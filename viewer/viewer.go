package viewer

import (
	"fmt"
	"io"
	"net"
	"sync"

	"sage/rfb"
)

// Viewer is one client's connection to a desktop. [Viewer.Handshake] comes first; then one goroutine calls
// [Viewer.FromClient] and one calls [Viewer.ToClient]. [Viewer.Leave] may be called at any time, by any goroutine.
type Viewer struct {
	desk   *Desk
	policy Policy
	client io.ReadWriter
	server net.Conn

	walker *rfb.ServerScanner // Nil where the server's messages are of no interest.
	hiding bool               // The server's message whose pieces come is held back. Only ToClient looks at it.

	wmu     sync.Mutex // Guards what follows, and writing to the server. It is taken before Desk.mu.
	scanner rfb.ClientScanner
	plain   bool  // The client is not understood any more: everything passes as it is.
	passing bool  // The message whose pieces come is allowed.
	inside  bool  // The server has got a part of a message.
	due     bool  // A size goes out as soon as the message that is under way has ended.
	broken  error // A write has failed outside of FromClient.

	announced bool // A SetEncodings has gone out since the last call, of a client that follows changes of size.

	listed   bool // The server was told what a client reads whose server is walked over.
	extended bool // The extended clipboard of a restricted client was announced. TurboVNC's Xvnc never forgets that.

	out  []byte // What goes to the server next; within room.
	room [512]byte

	sizing // Guarded by Desk.mu.
}

// FiltersServer reports whether what the server sends must go through [Viewer.ToClient].
func (v *Viewer) FiltersServer() bool { return v.walker != nil }

// FromClient takes what the client sent, in pieces of any size, and writes to the server what the client may say, where
// the viewer is restricted in Sage's own words (see rewrite). It keeps nothing of b, and allocates nothing.
//
// Errors: a wrapped [*rfb.UnknownMessageError] or [*rfb.FormatError] where the client cannot be understood and may not go on
// unseen (the client broke the policy: WebSocket close code 1008), or what writing to the server says. The connection is
// of no use afterwards.
func (v *Viewer) FromClient(b []byte) error {
	v.wmu.Lock()
	defer v.wmu.Unlock()
	if v.broken != nil {
		return v.broken
	}
	if v.plain {
		v.desk.touched()
		return v.write(b)
	}
	input := false
	for rest := b; ; {
		m, next, err := v.scanner.Next(rest)
		if err != nil {
			if err := v.flush(); err != nil {
				return err
			}
			return v.unknown(err, next)
		}
		if m.Bytes == nil {
			break
		}
		rest = next
		acts, err := v.forward(m)
		if err != nil {
			return fmt.Errorf("viewer: %w", err)
		}
		input = input || acts
	}
	if err := v.flush(); err != nil {
		return err
	}
	if input {
		v.desk.touched()
	}
	if v.announced {
		v.announced = false
		v.desk.joined(v)
	}
	if v.due && !v.inside {
		v.due = false
		return v.writeSize()
	}
	return nil
}

// unknown goes on after a message that is not understood, with what came behind it: unseen, or not at all.
func (v *Viewer) unknown(err error, rest []byte) error {
	if !v.policy.unrestricted() {
		return fmt.Errorf("viewer: the client cannot be understood, and its policy does not let it go on unseen: %w", err)
	}
	v.plain = true
	v.desk.release(v)
	v.desk.touched()
	if err := v.write(v.scanner.Held()); err != nil {
		return err
	}
	return v.write(rest)
}

// write writes to the server. It needs wmu.
func (v *Viewer) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := v.server.Write(b); err != nil {
		return fmt.Errorf("viewer: write to the desktop: %w", err)
	}
	return nil
}

// Leave says that the connection has ended: the next viewer takes over its hold of the size. Whoever closes the
// connection to the server does so before, since Leave waits for a write that is under way. It may be called twice.
func (v *Viewer) Leave() {
	v.desk.leave(v)
	v.firing.Wait()
}
