package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"sage/session"
)

type logsInput struct {
	UID  string `path:"uid" doc:"Names the desktop."`
	Tail int    `query:"tail" default:"200" minimum:"1" maximum:"2000" doc:"How many lines, from the end."`
}

const plainText = "text/plain; charset=utf-8"

func (s *Server) logs(ctx context.Context, in *logsInput) (*textOutput, error) {
	log, err := ask(ctx, s, fmt.Sprintf("logs %s %d", in.UID, in.Tail), func(ctx context.Context) ([]byte, error) {
		return s.sessions.Logs(ctx, in.UID, in.Tail)
	})
	if err != nil {
		return nil, err
	}
	return &textOutput{ContentType: plainText, Body: validUTF8(log)}, nil
}

// followLogs refuses what has no container before it begins to answer; what goes
// wrong later breaks the answer off.
func (s *Server) followLogs(ctx context.Context, in *logsInput) (*huma.StreamResponse, error) {
	found, err := s.sessions.Get(in.UID)
	if err != nil {
		return nil, err
	}
	if found.State != session.Starting && !found.State.Running() {
		return nil, session.ErrNotRunning
	}
	release, err := s.openFeed(ctx)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer release()
		r, w := humago.Unwrap(c)
		e := s.openStream(w, plainText)
		defer e.close()
		if r.Method == http.MethodHead { // It has no body, so there is nothing to follow.
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.down, cancel)()
		if e.flush() != nil { // The client learns at once that there is an answer.
			return
		}
		err := s.sessions.FollowLogs(ctx, in.UID, in.Tail, logWriter{e})
		if err != nil && ctx.Err() == nil && !errors.Is(err, session.ErrNotRunning) {
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// logWriter sends each piece at once.
type logWriter struct{ e *eventStream }

// Write implements io.Writer.
func (l logWriter) Write(p []byte) (int, error) {
	l.e.text = append(l.e.text, validUTF8(p)...)
	return len(p), l.e.flush()
}

// validUTF8 replaces what is no text, since programs write what they like.
func validUTF8(p []byte) []byte { return bytes.ToValidUTF8(p, []byte("\ufffd")) }
