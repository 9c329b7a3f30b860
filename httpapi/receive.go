package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"sage/httpapi/limit"
)

const (
	// answerTimeout is how long a client may take to receive an answer, and another
	// second for every answerRate bytes of it.
	answerTimeout = 30 * time.Second
	answerRate    = 16 << 10
	// answerPiece is what is written at a time, in bytes.
	answerPiece = 64 << 10
	// lastAnswerTimeout is how long a client may take for a piece of an answer while
	// Sage goes down.
	lastAnswerTimeout = time.Second
)

// receive reads the whole body before the request goes on, so that from then on
// the client waits for Sage and not Sage for the client: only such a request holds
// up a drain.
func (s *Server) receive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hasBody(r) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
			if err != nil {
				s.writeError(w, r, bodyError(err))
				return
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		requestOf(r.Context()).received = true
		limit.ConnOf(r.Context()).Asked()
		defer s.requests.begin()()
		next.ServeHTTP(w, r)
	})
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// bodyError returns the kind of an error of reading a body.
func bodyError(err error) error {
	var large *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(err, &large):
		return fmt.Errorf("%w: a body has at most %d bytes", errBodyTooLarge, large.Limit)
	case errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%w: send it at once", errBodyTimeout)
	case errors.As(err, &network):
		return fmt.Errorf("request body: %w: %w", context.Canceled, err)
	default: // Malformed chunks (RFC 9112, section 7.1), or less than Content-Length.
		return fmt.Errorf("%w: %w", errBodyMalformed, err)
	}
}

// answer bounds how long a client may take to receive what is written.
type answer struct {
	http.ResponseWriter
	server  *Server
	request *http.Request
	control *http.ResponseController
	// deadline is for what was written so far; zero before the first byte.
	deadline time.Time
	// undo ends the shortening of the deadline when the server goes down.
	undo      func() bool
	takenOver bool
}

func (s *Server) newAnswer(w http.ResponseWriter, r *http.Request) *answer {
	return &answer{ResponseWriter: w, server: s, request: r, control: http.NewResponseController(w)}
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Hijack implements http.Hijacker: the deadlines end with the request.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.takenOver = true
	return a.control.Hijack()
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (written int, err error) {
	conn, received := limit.ConnOf(a.request.Context()), requestOf(a.request.Context()).received
	for first := true; err == nil && (first || written < len(p)); first = false {
		piece := p[written:min(written+answerPiece, len(p))]
		a.extend(len(piece))
		if received { // Else the server waits for the body, too.
			conn.Answering()
		}
		var n int
		n, err = a.ResponseWriter.Write(piece)
		if received {
			conn.Working()
		}
		written += n
	}
	return written, err
}

// extend sets the deadline for n more bytes.
func (a *answer) extend(n int) {
	if a.deadline.IsZero() {
		a.deadline = time.Now().Add(answerTimeout)
		a.undo = context.AfterFunc(a.server.down, a.hurry)
	}
	a.deadline = a.deadline.Add(time.Duration(n) * time.Second / answerRate)
	// A writer without deadlines, as a test may have, has no client to wait for.
	_ = a.control.SetWriteDeadline(a.deadline)
	if a.server.goingDown() {
		a.hurry()
	}
}

func (a *answer) hurry() { _ = a.control.SetWriteDeadline(time.Now().Add(lastAnswerTimeout)) }

// finish bounds what the HTTP server has to write when the handler has returned.
func (a *answer) finish() {
	if a.takenOver {
		return
	}
	a.extend(0)
	a.undo()
	if requestOf(a.request.Context()).received {
		limit.ConnOf(a.request.Context()).Answering()
	}
}

// bare returns what an answer writes to, for who bounds each write by itself.
func bare(w http.ResponseWriter) http.ResponseWriter {
	if a, ok := w.(*answer); ok {
		return a.ResponseWriter
	}
	return w
}
