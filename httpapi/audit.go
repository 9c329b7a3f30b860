package httpapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"sync"
)

// requestIDHeader names a request in the logs of all programs that it passes.
const requestIDHeader = "X-Request-Id"

// requestIDChars are those that a sane one is made of.
const requestIDChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// clipped is the longest text of a client's that is logged, in bytes.
const clipped = 64

// request is what logs say of where something came from.
type request struct{ id, remote string }

// requestKey is the context's key of a request.
type requestKey struct{}

// identify names a request: by the id that it brings, where that is sane, else
// by a new one. The answer carries it.
func identify(w http.ResponseWriter, r *http.Request) *http.Request {
	id := r.Header.Get(requestIDHeader)
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return !strings.ContainsRune(requestIDChars, c) }) {
		id = strings.ToLower(rand.Text())
	}
	w.Header().Set(requestIDHeader, id)
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, request{id, r.RemoteAddr}))
}

// requestOf says which request a context belongs to.
func requestOf(ctx context.Context) slog.Attr {
	r, _ := ctx.Value(requestKey{}).(request)
	return slog.Group("", "request_id", r.id, "remote", r.remote)
}

// The actions of audit lines.
const (
	auditStart      = "start"
	auditStop       = "stop"
	auditRestart    = "restart"
	auditConnect    = "connect"
	auditDisconnect = "disconnect"
	auditDenied     = "denied"
)

// audit writes the one line of the log that says who did what, and how it came
// out: "ok", or the code of the problem. Tokens and environments are not told.
func (s *Server) audit(ctx context.Context, action string, err error, attrs ...any) {
	result := "ok"
	if err != nil {
		result = problemOf(err).Code
	}
	s.opts.Logger.InfoContext(ctx, "audit", append([]any{"action", action, "result", result, requestOf(ctx)}, attrs...)...)
}

// auditRefusal is audit for a request that got nowhere, where it was refused for
// who asked.
func (s *Server) auditRefusal(r *http.Request, p *problem) {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMisdirectedRequest:
	default:
		return
	}
	path := r.URL.Path
	if strings.HasPrefix(path, "/stream/") {
		path = "/stream/" // What follows is a right to use it.
	}
	s.audit(r.Context(), auditDenied, p, "method", clip(r.Method), "path", clip(path), "origin", clip(r.Header.Get("Origin")))
}

// clip bounds what a client may write into the log.
func clip(text string) string {
	if len(text) > clipped {
		return text[:clipped] + "..."
	}
	return text
}

// audited writes the lines of a client that came, and makes it write the one of
// its going.
func (a attacher) audited(ctx context.Context, held attachment) attachment {
	attrs := []any{"uid", held.UID, "endpoint", held.Endpoint.Name}
	a.server.audit(ctx, auditConnect, nil, attrs...)
	held.gone = sync.OnceFunc(func() { a.server.audit(ctx, auditDisconnect, nil, attrs...) })
	return held
}
