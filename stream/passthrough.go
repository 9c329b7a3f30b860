package stream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// maxHead bounds the endpoint's answer to the handshake, in bytes.
const maxHead = 64 << 10

// handshakeHeaders names the headers of the opening handshake that concern both ends. Nothing else is passed on: the
// cookies and authorization of Sage's users are none of an image's business, nor are its cookies theirs.
func handshakeHeaders() []string {
	return []string{"Sec-Websocket-Protocol", "Sec-Websocket-Extensions"}
}

// passThrough passes the handshake on to an endpoint that speaks WebSocket itself. The function that it gives copies bytes
// until the stream ends. httputil.ReverseProxy would do the same with a buffer held per direction, a transport per desktop, and no
// half-close with a bound.
func (s *stream) passThrough(w http.ResponseWriter, r *http.Request) (carry func(*task), err error) {
	answer, early, err := s.shakeHands(r) //nolint:bodyclose // A 101 has no body: the connection is ours.
	if err != nil {
		return nil, err
	}
	leftover, err := s.takeOver(w, append(switchingProtocols(w.Header(), answer.Header), early...))
	if err != nil {
		return nil, err
	}
	return func(t *task) { s.copyBoth(t, leftover) }, nil
}

func (s *stream) copyBoth(t *task, leftover []byte) {
	s.join()
	closed := make(chan struct{})
	context.AfterFunc(s.ctx, func() {
		defer close(closed)
		s.cut()
	})
	defer func() { <-closed }()
	timeout := s.gateway.opts.WriteTimeout
	var half atomic.Bool // One direction has ended.
	s.both(t,
		func(t *task) {
			up := direction{s.client.Conn, s.upstream, newSink(s.upstream, timeout), &s.client.received, "client closed the stream"}
			s.copy(t, up, leftover, &half)
		},
		func(t *task) {
			down := direction{s.upstream, s.client.Conn, s.client.out, &s.client.sent, "desktop closed the connection"}
			s.copy(t, down, nil, &half)
		},
	)
}

// direction is one of the two of a stream that is passed through.
type direction struct {
	from, to net.Conn
	sink     *sink // To "to".
	passed   *atomic.Int64
	reason   string // Why the stream ends when this direction does.
}

// frameMessages is frame for an endpoint that speaks WebSocket itself.
func (s *stream) frameMessages(w http.ResponseWriter, r *http.Request) (carry func(*task), err error) {
	_, early, err := s.shakeHands(r) //nolint:bodyclose // A 101 has no body: the connection is ours.
	if err != nil {
		return nil, err
	}
	s.upstream = newMessageConn(s.upstream, slices.Clone(early))
	return s.frame(w, r)
}

// shakeHands asks the endpoint for the upgrade in the client's name and gives its answer, and what it sent behind it.
func (s *stream) shakeHands(r *http.Request) (*http.Response, []byte, error) {
	path, upstream := s.att.Path(), s.upstream
	if !strings.HasPrefix(path, "/") || strings.ContainsFunc(path, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return nil, nil, fmt.Errorf("stream: endpoint %q has the unusable path %q", s.endpoint, path)
	}
	_ = upstream.SetDeadline(time.Now().Add(s.gateway.opts.DialTimeout))
	interrupted := make(chan struct{})
	stop := context.AfterFunc(s.ctx, func() {
		defer close(interrupted)
		_ = upstream.SetDeadline(time.Unix(1, 0))
	})
	answer, early, err := exchange(r, path, upstream)
	if !stop() {
		<-interrupted
		err = errors.Join(endingOf(s.ctx), err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: handshake with endpoint %q: %w", ErrUpstream, s.endpoint, err)
	}
	_ = upstream.SetDeadline(time.Time{})
	return answer, early, nil
}

// exchange writes the request, reads the answer and checks it (RFC 6455 section 4.1).
func exchange(r *http.Request, path string, upstream net.Conn) (*http.Response, []byte, error) {
	host := "localhost"
	if a, ok := upstream.RemoteAddr().(*net.TCPAddr); ok {
		host = a.String()
	}
	key := r.Header.Get("Sec-WebSocket-Key")
	header := http.Header{
		"Host": {host}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {key},
	}
	for _, name := range handshakeHeaders() {
		if v := r.Header.Values(name); len(v) > 0 {
			header[name] = v
		}
	}
	var request bytes.Buffer
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\n", path)
	_ = header.Write(&request)
	request.WriteString("\r\n")
	if _, err := upstream.Write(request.Bytes()); err != nil {
		return nil, nil, err
	}

	br := bufio.NewReader(&io.LimitedReader{R: upstream, N: maxHead})
	answer, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, fmt.Errorf("it answered %q instead of upgrading", answer.Status)
	}
	if answer.Header.Get("Sec-WebSocket-Accept") != acceptKey(key) {
		return nil, nil, errors.New("it answered with the wrong Sec-WebSocket-Accept")
	}
	early, _ := br.Peek(br.Buffered())
	return answer, early, nil
}

// switchingProtocols is the answer to the client: what Sage's own middleware has set, and what the endpoint agreed to.
func switchingProtocols(own, agreed http.Header) []byte {
	header := own.Clone()
	header.Set("Connection", "Upgrade")
	header.Set("Upgrade", "websocket")
	for _, name := range append(handshakeHeaders(), "Sec-Websocket-Accept") {
		header.Del(name)
		if v := agreed.Values(name); len(v) > 0 {
			header[name] = v
		}
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = header.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

// copy carries one direction, first what is at hand already. When the one side has no more to say or the other takes no
// more, the other is told so and has CloseTimeout for its last words in the other direction; whichever direction ends
// last ends the stream.
func (s *stream) copy(t *task, d direction, first []byte, half *atomic.Bool) {
	var werr error
	pass := func(p piece) error {
		var n int
		if p.pipe != nil {
			n, werr = d.sink.Move(t, p.pipe)
		} else {
			n, werr = d.sink.Write(t, p.bytes(), false)
		}
		d.passed.Add(int64(n))
		return werr
	}
	from := newSource(t, d.from, s.gateway.large, s.gateway.pipesTo(d.sink))
	err := pass(piece{buf: append(make([]byte, headRoom), first...)})
	for err == nil {
		err = from.next(bufferSize, pass)
	}
	if werr == nil && !errors.Is(err, io.EOF) {
		s.end(&ending{reason: d.reason, err: err})
		return
	}
	last := half.Swap(true)
	if !last {
		closeWrite(d.to)
		late := time.AfterFunc(s.gateway.opts.CloseTimeout, func() { s.end(&ending{reason: d.reason}) })
		context.AfterFunc(s.ctx, func() { late.Stop() })
	}
	if werr != nil {
		// Closing a connection with its bytes unread would reset it, and what its peer has not read yet would be lost.
		for err = nil; err == nil; {
			err = from.next(bufferSize, func(piece) error { return nil })
		}
	}
	if last {
		s.end(&ending{reason: d.reason, err: werr})
	}
}

// closeWrite ends one direction of conn, if its kind can do that.
func closeWrite(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
