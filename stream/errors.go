package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sage/stream/ws"
)

// What a request can fail with before the upgrade, beside the errors of [Sessions.Attach]. Each comes wrapped with the
// particulars.
var (
	// ErrUpgradeRequired: the request is no WebSocket upgrade (status 426, RFC 9110 section 15.5.22).
	ErrUpgradeRequired = errors.New("a websocket upgrade is required here")
	// ErrHandshake: the upgrade is malformed (status 400, RFC 6455 section 4.2.1).
	ErrHandshake = errors.New("malformed websocket handshake")
	// ErrOrigin: the page that asks may not (status 403, RFC 6455 section 10.2).
	ErrOrigin = errors.New("origin is not allowed")
	// ErrUpstream: the desktop's endpoint cannot be reached or does not answer as it should (status 502).
	ErrUpstream = errors.New("the desktop's endpoint does not answer")
	// ErrShuttingDown: the gateway takes no more streams (status 503).
	ErrShuttingDown = errors.New("the gateway is shutting down")
)

// writePlainError is the error writer where none is given: status and text.
func writePlainError(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrUpgradeRequired):
		status = http.StatusUpgradeRequired
	case errors.Is(err, ErrHandshake):
		status = http.StatusBadRequest
	case errors.Is(err, ErrOrigin):
		status = http.StatusForbidden
	case errors.Is(err, ErrUpstream):
		status = http.StatusBadGateway
	case errors.Is(err, ErrShuttingDown):
		status = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), status)
}

// ending is why a stream ends. It travels as the cause of the stream's context; the first one wins.
type ending struct {
	status  ws.Status // What a framed client is told; 0 where the client is past being told.
	answers bool      // The client has sent its close frame already, so it sends no other.
	reason  string
	err     error // What happened, for the log; may be nil.
}

// Error says why the stream ended.
func (e *ending) Error() string {
	if e.err == nil {
		return e.reason
	}
	return fmt.Sprintf("%s: %v", e.reason, e.err)
}

// Unwrap gives what happened.
func (e *ending) Unwrap() error { return e.err }

// endingOf gives why a stream's context ended.
func endingOf(ctx context.Context) *ending {
	var e *ending
	if errors.As(context.Cause(ctx), &e) {
		return e
	}
	return &ending{status: ws.StatusInternalError, reason: "internal error", err: context.Cause(ctx)}
}
