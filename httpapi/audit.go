package httpapi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sage/httpapi/limit"
)

// clipped is the longest text of a client's that is logged, in bytes.
const clipped = 64

// The actions of audit lines.
const (
	auditStart      = "start"
	auditStop       = "stop"
	auditRestart    = "restart"
	auditConnect    = "connect"
	auditDisconnect = "disconnect"
	auditDenied     = "denied"
)

// How many lines there may be about what was refused: one client's, and those of
// all.
const (
	refusalsAtOnce, refusalInterval       = 20, time.Second
	allRefusalsAtOnce, allRefusalInterval = 200, 50 * time.Millisecond
	// knownSources bounds the memory for addresses.
	knownSources = 4096
	// leftOutInterval is how often the number of lines that were left out is logged.
	leftOutInterval = 10 * time.Second
)

// refusalLog bounds what refused requests write into the log.
type refusalLog struct {
	clients *limit.Rates
	all     *rate.Limiter
	leftOut *limit.Digest
}

func (s *Server) newRefusalLog() refusalLog {
	return refusalLog{
		clients: limit.NewRates(refusalInterval, refusalsAtOnce, knownSources),
		all:     rate.NewLimiter(rate.Every(allRefusalInterval), allRefusalsAtOnce),
		leftOut: limit.NewDigest(leftOutInterval, func(n int) {
			s.opts.Logger.Info("lines about refused requests left out", "lines", n)
		}),
	}
}

// allows reports whether there may be one more line about a client, and counts it.
func (l refusalLog) allows(ctx context.Context) bool {
	if l.clients.Allow(requestOf(ctx).client) && l.all.Allow() {
		return true
	}
	l.leftOut.Note()
	return false
}

// audit writes the one line of the log that says who did what, and how it came
// out: "ok", or the code of the problem. Tokens and environments are in no line,
// and of the lines about what failed those beyond a rate are left out.
func (s *Server) audit(ctx context.Context, action string, err error, attrs ...any) {
	result := "ok"
	if err != nil {
		if !s.refusals.allows(ctx) {
			return
		}
		result = problemOf(err).Code
	}
	s.opts.Logger.InfoContext(ctx, "audit", append([]any{"action", action, "result", result, requestOf(ctx).attrs()}, attrs...)...)
}

// auditRefusal counts and audits a request that was refused for who asked, or how.
func (s *Server) auditRefusal(r *http.Request, p *problem) {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMisdirectedRequest, http.StatusTooManyRequests:
	default:
		if p.Code != codeUnknownStream {
			return
		}
	}
	if s.opts.Refused != nil {
		s.opts.Refused(p.Code)
	}
	path := r.URL.Path
	if strings.HasPrefix(path, streamPrefix) {
		path = streamPrefix // What follows is a right to use it.
	}
	s.audit(r.Context(), auditDenied, p, "method", clip(r.Method), "path", clip(path), "origin", clip(r.Header.Get("Origin")))
}

// How many wrong tokens and stream addresses a client may send at once, and how
// long it takes until there may be one more.
const attemptsAtOnce, attemptInterval = 10, 10 * time.Second

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
	held.gone = sync.OnceFunc(func() {
		held.giveBack()
		a.server.audit(ctx, auditDisconnect, nil, attrs...)
	})
	return held
}
