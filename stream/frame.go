package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	// slowWrite is how long one message may take before the messages become smaller, and slowSize is how large they are
	// then, in bytes: pings, pongs and the goodbye queue behind one message.
	slowWrite = 100 * time.Millisecond
	slowSize  = 16 << 10
)

// framed is a stream whose desktop speaks plain bytes.
type framed struct {
	*stream
	ws       *websocket.Conn
	upstream net.Conn
	calm     context.Context // The stream's values without its end: the library cuts a connection whose context ends.
	writing  atomic.Bool     // The desktop is being given the client's bytes, so nothing is read from the client.
}

// frame answers the upgrade and carries bytes as binary messages until the stream ends. Everything that it starts has
// ended when it returns.
func (s *stream) frame(w http.ResponseWriter, r *http.Request, att Attachment, upstream net.Conn) error {
	opts := s.gateway.opts
	if s.ctx.Err() != nil {
		return s.refusal(endingOf(s.ctx))
	}
	defer s.opened(att.Protocol())()
	uw := &upgradeWriter{ResponseWriter: w, opts: opts}
	ws, err := websocket.Accept(uw, r, &websocket.AcceptOptions{
		Subprotocols:       []string{"binary"},
		InsecureSkipVerify: true, // The origin is checked already, by Options.CheckOrigin.
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		// The library has answered; what it can meet here after checkHandshake is a connection that cannot be taken over.
		s.gateway.opts.Logger.WarnContext(s.ctx, "websocket upgrade failed", "endpoint", s.endpoint, "error", err)
		return nil
	}
	ws.SetReadLimit(opts.MaxClientMessage)
	s.client = uw.hijacked
	if opts.Pictured != nil {
		s.client.pictured = func() { opts.Pictured(att) }
	}
	s.own(s.client)
	f := &framed{stream: s, ws: ws, upstream: upstream, calm: context.WithoutCancel(s.ctx)}

	p := &pinger{
		ws: ws, interval: opts.PingInterval, timeout: opts.PingTimeout, look: f.look, ctx: f.calm,
		gone: func(err error) { s.end(&ending{reason: "client does not answer pings", err: err}) },
	}
	p.start()
	closed := make(chan struct{})
	context.AfterFunc(s.ctx, func() {
		defer close(closed)
		f.close(endingOf(s.ctx))
	})
	// Reached by panics too: both ends the stream, and its end closes the connections.
	defer func() {
		<-closed
		p.stop()
	}()
	s.both(f.fromClient, f.toClient)
	return nil
}

// look gives what there is to see of the client now.
func (f *framed) look() sighting {
	taken, waiting := f.client.sending()
	return sighting{received: f.client.received.Load(), taken: taken, waiting: waiting, unread: f.writing.Load()}
}

// close ends both connections: the desktop's at once, the client's with a close frame where that is of use.
func (f *framed) close(e *ending) {
	_ = f.upstream.Close()
	if e.code == 0 {
		_ = f.client.Close()
	}
	// A client that does not take the close frame, or does not answer it, is cut.
	cut := time.AfterFunc(f.gateway.opts.CloseTimeout, func() { _ = f.client.Close() })
	defer cut.Stop()
	if e.code != 0 {
		_ = f.ws.Close(e.code, e.reason)
	}
	_ = f.ws.CloseNow()
}

// toClient sends what the desktop sends. Each read is one message; the next read waits until the client has taken it.
func (f *framed) toClient() {
	src := newSource(f.upstream, &f.gateway.buffers)
	limit := bufferSize
	for {
		var werr error
		err := src.next(limit, func(b []byte) error {
			began := time.Now()
			werr = f.ws.Write(f.calm, websocket.MessageBinary, b)
			limit = bufferSize
			if time.Since(began) > slowWrite {
				limit = slowSize
			}
			return werr
		})
		switch {
		case err == nil:
			continue
		case werr != nil:
			f.end(&ending{reason: "client takes nothing", err: werr})
		case errors.Is(err, io.EOF):
			f.end(&ending{code: websocket.StatusNormalClosure, reason: "desktop closed the connection"})
		default:
			f.end(&ending{code: websocket.StatusInternalError, reason: "connection to the desktop failed", err: err})
		}
		return
	}
}

// fromClient passes the client's messages on. Binary messages alone have a meaning.
func (f *framed) fromClient() {
	for {
		kind, message, err := f.ws.Reader(f.calm)
		if err != nil {
			f.end(clientEnding(err))
			return
		}
		if kind != websocket.MessageBinary {
			f.end(&ending{code: websocket.StatusUnsupportedData, reason: "only binary messages are understood"})
			return
		}
		if e := f.pass(message); e != nil {
			f.end(e)
			return
		}
	}
}

// pass writes one message to the desktop.
func (f *framed) pass(message io.Reader) *ending {
	buf := f.gateway.buffers.getSmall()
	defer f.gateway.buffers.putSmall(buf)
	for {
		n, err := message.Read(buf[:])
		if n > 0 {
			f.writing.Store(true)
			_, werr := writeWithin(f.upstream, buf[:n], f.gateway.opts.WriteTimeout)
			f.writing.Store(false)
			if werr != nil {
				return &ending{code: websocket.StatusInternalError, reason: "desktop takes nothing", err: werr}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return clientEnding(err)
		}
	}
}

// clientEnding is the end after reading from the client has failed. A close frame to a client that is gone fails at
// once and does no harm.
func clientEnding(err error) *ending {
	if websocket.CloseStatus(err) != -1 {
		return &ending{reason: "client closed the stream", err: err}
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return &ending{code: websocket.StatusMessageTooBig, reason: "message is too large", err: err}
	}
	return &ending{code: websocket.StatusProtocolError, reason: "client is gone or breaks the protocol", err: err}
}
