package stream

import (
	"io"
	"sync"

	"sage/stream/ws"
)

// frameWriter sends frames to a client, one after the other. Whoever sends a large one holds the line for long, so pings
// and pongs do not wait for it: they are left for the holder to send. It may be used by any number of tasks, and by others,
// which give no task.
type frameWriter struct {
	conn *clientConn

	line   sync.Mutex // Held while a frame is written.
	closed bool       // The close frame was sent; nothing may follow it.
	head   []byte     // Of the frame under way, where that stands by itself.

	dueMu sync.Mutex
	due   []byte // Whole control frames that are to be sent as soon as the line is free.
	pong  bool   // There is a pong among them.
}

// message sends what p has as one binary message.
func (w *frameWriter) message(t *task, p piece) error {
	if !w.line.TryLock() {
		t.leave()
		w.line.Lock()
	}
	err := w.putMessage(t, p)
	w.line.Unlock()
	if err != nil {
		return err
	}
	return w.flush(t)
}

// putMessage writes the frame of a message. In memory its head stands right before it. The line is held.
func (w *frameWriter) putMessage(t *task, p piece) error {
	if p.pipe == nil {
		return w.put(t, ws.PutHead(p.buf, headRoom, len(p.buf)))
	}
	if w.closed {
		return io.ErrClosedPipe
	}
	w.head = ws.AppendHead(w.head[:0], ws.Binary, p.size())
	return w.conn.move(t, w.head, p.pipe)
}

// put writes frames unless there was a close frame. The line is held.
func (w *frameWriter) put(t *task, frames []byte) error {
	if w.closed {
		return io.ErrClosedPipe
	}
	return w.conn.write(t, frames)
}

// ping sends a ping, if need be as soon as the frame under way has been sent.
func (w *frameWriter) ping() error {
	w.dueMu.Lock()
	w.due = ws.AppendHead(w.due, ws.Ping, 0)
	w.dueMu.Unlock()
	return w.flush(nil)
}

// answer sends the pong to a ping in the same way. While one waits to be sent, further pings get no answer of their own
// (RFC 6455 section 5.5.3), so a client cannot let pongs pile up.
func (w *frameWriter) answer(t *task, payload []byte) error {
	w.dueMu.Lock()
	if !w.pong {
		w.pong = true
		w.due = append(ws.AppendHead(w.due, ws.Pong, len(payload)), payload...)
	}
	w.dueMu.Unlock()
	return w.flush(t)
}

// flush sends what is due, unless somebody holds the line: then that one does, who flushes afterwards.
func (w *frameWriter) flush(t *task) error {
	for w.isDue() && w.line.TryLock() {
		w.dueMu.Lock()
		frames := w.due
		w.due, w.pong = nil, false
		w.dueMu.Unlock()
		err := w.put(t, frames)
		w.line.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *frameWriter) isDue() bool {
	w.dueMu.Lock()
	defer w.dueMu.Unlock()
	return len(w.due) > 0
}

// close sends the close frame when the line is free. Nothing is sent afterwards.
func (w *frameWriter) close(status ws.Status, reason string) error {
	w.line.Lock()
	defer w.line.Unlock()
	if w.closed {
		return nil
	}
	err := w.put(nil, ws.AppendClose(nil, status, reason))
	w.closed = true
	return err
}
