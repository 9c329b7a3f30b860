package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"sage/stream/ws"
)

const (
	// slowWrite is how long one message may take before the messages become smaller, and slowSize is how large they are
	// then, in bytes: pings, pongs and the goodbye queue behind one message.
	slowWrite = 100 * time.Millisecond
	slowSize  = 16 << 10
	// subprotocol is what clients of VNC over WebSocket may ask for.
	subprotocol = "binary"
)

// framed is a stream whose desktop speaks plain bytes.
type framed struct {
	*stream
	frames  frameWriter
	task    *task // That reads from the client.
	in      *source
	decoder *ws.Decoder
	pinger  *pinger
	desktop *desktopSide

	guard  Guard         // Nil where what passes is not looked at.
	met    chan struct{} // Closed when the guard, if any, has shaken hands with both; then toClient begins.
	shaken bool          // The same, for those who read from the client.
	early  []byte        // What the client has said and its guard has not read, while they shake hands.
}

// frame answers the upgrade. The function that it gives carries bytes as binary messages until the stream ends;
// everything that it starts has ended when it returns.
func (s *stream) frame(w http.ResponseWriter, r *http.Request) (carry func(*task), err error) {
	opts := s.gateway.opts
	agreed := http.Header{"Sec-Websocket-Accept": {acceptKey(r.Header.Get("Sec-WebSocket-Key"))}}
	if hasToken(r.Header, "Sec-Websocket-Protocol", subprotocol) {
		agreed.Set("Sec-WebSocket-Protocol", subprotocol)
	}
	leftover, err := s.takeOver(w, switchingProtocols(w.Header(), agreed))
	if err != nil {
		return nil, err
	}
	if opts.Pictured != nil {
		s.client.pictured = func() { opts.Pictured(s.att) }
	}
	f := &framed{
		stream: s, frames: frameWriter{conn: s.client}, decoder: ws.NewDecoder(true, opts.MaxClientMessage),
		desktop: &desktopSide{Conn: s.upstream, out: newSink(s.upstream, opts.WriteTimeout)},
		met:     make(chan struct{}),
	}
	f.pinger = &pinger{
		interval: opts.PingInterval, timeout: opts.PingTimeout, look: f.look,
		ping: func() { _ = f.frames.ping() }, // What is wrong with the line is seen by those who read and write.
		gone: func() { s.end(&ending{reason: "client does not answer pings"}) },
	}
	return func(t *task) { f.carry(t, leftover) }, nil
}

func (f *framed) carry(t *task, leftover []byte) {
	f.task, f.in = t, newSource(t, f.client.Conn, f.gateway.small, nil)
	f.pinger.start()
	closed := make(chan struct{})
	context.AfterFunc(f.ctx, func() {
		defer close(closed)
		f.close(endingOf(f.ctx))
	})
	// Reached by panics too: both ends the stream, and its end closes the connections.
	defer func() {
		<-closed
		f.pinger.stop()
		_ = f.desktop.settled(t) // Its connection is closed.
	}()
	if f.guard = f.att.Guard(clientSide{f}, f.desktop); f.guard != nil {
		defer f.guard.Leave()
	}
	f.both(t, func(t *task) { f.fromClient(t, leftover) }, f.toClient)
}

// look gives what there is to see of the client now.
func (f *framed) look() sighting {
	taken, waiting := f.client.sending()
	return sighting{received: f.client.received.Load(), taken: taken, waiting: waiting, unread: f.desktop.writing.Load()}
}

// close ends the desktop's connection at once, and the client's with a close frame where that is of use: then the
// client's own one, or its time's end, is awaited by fromClient.
func (f *framed) close(e *ending) {
	_ = f.upstream.Close()
	if e.status == 0 {
		_ = f.client.Close()
		return
	}
	f.client.closeAfter(f.gateway.opts.CloseTimeout)
	if err := f.frames.close(e.status, e.reason); err != nil || e.answers {
		_ = f.client.Close()
	}
}

// toClient sends what the desktop sends. Each read is one message; the next read waits until the client has taken it.
func (f *framed) toClient(t *task) {
	select {
	case <-f.met:
	case <-f.ctx.Done():
		return
	}
	pipes := f.gateway.pipesTo(f.client.out)
	if f.filters() {
		pipes = nil
	}
	src := newSource(t, f.upstream, f.gateway.large, pipes)
	limit := bufferSize
	var werr error
	show := func(p piece) error {
		began := time.Now()
		werr = f.show(t, p)
		limit = bufferSize
		if time.Since(began) > slowWrite {
			limit = slowSize
		}
		return werr
	}
	var err error
	for err == nil {
		err = src.next(limit, show)
	}
	var e *ending
	switch {
	case errors.As(err, &e):
		f.end(e)
	case werr != nil:
		f.end(&ending{reason: "client takes nothing", err: werr})
	case errors.Is(err, io.EOF):
		f.end(&ending{status: ws.StatusNormal, reason: "desktop closed the connection"})
	default:
		f.end(&ending{status: ws.StatusInternalError, reason: "connection to the desktop failed", err: err})
	}
}

// fromClient passes the client's messages on, and reads on after the stream's end until the client has closed, too: its
// answer is awaited, and what it still sends must not reset the connection before it has read the close frame.
func (f *framed) fromClient(t *task, leftover []byte) {
	err := f.take(leftover)
	if err == nil {
		err = f.meet()
	}
	if err == nil {
		f.join()
		f.in = newSource(t, f.client.Conn, f.gateway.small, nil)
		close(f.met)
	}
	for err == nil {
		err = f.in.next(clientBufferSize, f.use)
		if serr := f.desktop.settled(t); serr != nil {
			f.end(desktopEnding(serr))
		}
	}
	e := clientEnding(err)
	f.end(e)
	if e.status != 0 && !e.answers {
		for err = nil; err == nil; { // Its frames make no sense any more.
			err = f.in.next(clientBufferSize, func(piece) error { return nil })
		}
	}
}

// use is take for a source.
func (f *framed) use(p piece) error { return f.take(p.bytes()) }

// take looks at what came from the client. The payloads are moved together, so that many small messages are one write.
func (f *framed) take(b []byte) error {
	f.client.received.Add(int64(len(b)))
	payload := b[:0]
	for len(b) > 0 {
		event, n, err := f.decoder.Next(b)
		if err != nil {
			return errors.Join(f.deliver(payload), err)
		}
		b = b[n:]
		switch event.Op {
		case ws.Binary:
			payload = append(payload, event.Payload...)
		case ws.Ping:
			_ = f.frames.answer(f.task, event.Payload) // What is wrong with the line is seen by toClient.
		case ws.Pong:
			f.pinger.pong()
		case ws.Close:
			status, reason, err := ws.ParseClose(event.Payload)
			if err != nil {
				return errors.Join(f.deliver(payload), err)
			}
			_ = f.deliver(payload) // It has left.
			return &ending{status: status, answers: true, reason: "client closed the stream", err: closedBy(status, reason)}
		}
	}
	return f.deliver(payload)
}

// deliver gives the client's bytes to the desktop, while there is one.
func (f *framed) deliver(b []byte) error {
	switch {
	case len(b) == 0 || f.ctx.Err() != nil:
		return nil
	case f.guard != nil:
		return f.deliverGuarded(b)
	}
	if _, err := f.desktop.Write(b); err != nil {
		f.end(desktopEnding(err))
	}
	return nil
}

// desktopEnding is the end after writing to the desktop has failed.
func desktopEnding(err error) *ending {
	return &ending{status: ws.StatusInternalError, reason: "desktop takes nothing", err: err}
}

// closedBy tells the log with what the client has closed.
func closedBy(status ws.Status, reason string) error {
	return fmt.Errorf("status %d %q", status, reason)
}

// clientEnding is the end after something from the client, or reading from it, has failed.
func clientEnding(err error) *ending {
	var e *ending
	var breach *ws.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &breach):
		return &ending{status: breach.Status, reason: breach.Reason}
	default:
		return &ending{reason: "client is gone", err: err}
	}
}
