package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"sage/httpapi/api"
	"sage/session"
)

const (
	// pingInterval is how often a quiet stream of events shows that it lives: more
	// often than what stands between gives up a quiet connection.
	pingInterval = 15 * time.Second
	// eventTimeout is how long a client may take to receive what it is sent.
	eventTimeout = 10 * time.Second
	// eventRetry is how soon a browser asks again after the end of a stream.
	eventRetry = time.Second
)

func (s *Server) follow(ctx context.Context, in *uidInput) (*huma.StreamResponse, error) {
	watch, err := s.sessions.Watch(in.UID)
	if err != nil {
		return nil, err
	}
	return s.events(ctx, watch, func(d session.Session) (string, any) {
		if d.State == session.Absent {
			// Who opens the address of a stopped desktop learns what it was.
			if d.App, err = s.sessions.Kept(d.UID); err != nil {
				s.opts.Logger.Warn("cannot tell what is kept", "uid", d.UID, "error", err)
			}
		}
		return api.EventDesktop, desktop(d)
	})
}

func (s *Server) followAll(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	return s.events(ctx, s.sessions.WatchAll(), func(d session.Session) (string, any) {
		if d.State == session.Absent {
			return api.EventGone, api.Gone{UID: d.UID}
		}
		return api.EventDesktop, desktop(d)
	})
}

// events answers with what watch sees, each in the words of tell, until the
// client leaves or the daemon goes down.
func (s *Server) events(ctx context.Context, watch *session.Watch, tell func(session.Session) (event string, data any)) (*huma.StreamResponse, error) {
	release, err := s.openFeed(ctx)
	if err != nil {
		watch.Close()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer release()
		defer watch.Close()
		r, w := humago.Unwrap(c)
		e := s.openEvents(w)
		defer e.close()
		if r.Method == http.MethodHead { // It has no body, so there is nothing to follow.
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.down, cancel)()

		// Who asks while the daemon goes down is told how things are, too.
		changes, err := watch.Next(r.Context())
		for err == nil {
			for _, d := range changes {
				e.add(tell(d))
			}
			if e.flush() != nil {
				return
			}
			changes, err = s.nextChanges(ctx, watch, e)
		}
	}}, nil
}

// openFeed counts an answer that goes on for as long as the client likes. The
// function that it returns ends that.
func (s *Server) openFeed(ctx context.Context) (release func(), err error) {
	client := requestOf(ctx).client
	release, ok := s.feeds.Take(client, s.exempt(client))
	if !ok {
		return nil, errManyStreams
	}
	return release, nil
}

// nextChanges waits for something to tell, and shows meanwhile that the stream
// lives.
func (s *Server) nextChanges(ctx context.Context, watch *session.Watch, e *eventStream) ([]session.Session, error) {
	for {
		quiet, cancel := context.WithTimeout(ctx, pingInterval)
		changes, err := watch.Next(quiet)
		cancel()
		if err == nil || ctx.Err() != nil || quiet.Err() == nil {
			return changes, err
		}
		e.ping()
		if err := e.flush(); err != nil {
			return nil, err
		}
	}
}

// eventStream writes server-sent events (HTML Living Standard, section 9.2.6).
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	// end also ends a write to a client that does not receive; close undoes it.
	end   context.Context
	close func()
	text  []byte
}

func (s *Server) openEvents(w http.ResponseWriter) *eventStream {
	e := s.openStream(w, "text/event-stream")
	e.text = fmt.Appendf(e.text, "retry: %d\n\n", eventRetry.Milliseconds())
	return e
}

// openStream begins an answer that goes on for as long as there is something to
// tell.
func (s *Server) openStream(w http.ResponseWriter, contentType string) *eventStream {
	w = bare(w) // Each flush has a deadline of its own.
	e := &eventStream{w: w, control: http.NewResponseController(w), end: s.down}
	if s.goingDown() {
		e.end = context.Background() // What there is to say is short.
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(e.end, func() {
		defer close(cut)
		_ = e.control.SetWriteDeadline(time.Now())
	})
	e.close = func() {
		if !stop() {
			<-cut
		}
		_ = e.control.SetWriteDeadline(time.Time{}) // The connection may have further requests.
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // Proxies that collect answers shall not.
	return e
}

func (e *eventStream) add(event string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // The words of the API can be written.
	}
	e.text = fmt.Appendf(e.text, "event: %s\ndata: %s\n\n", event, text)
}

func (e *eventStream) ping() { e.text = append(e.text, ": ping\n\n"...) }

// flush sends what was added.
func (e *eventStream) flush() error {
	if err := e.control.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
		return err
	}
	if err := e.end.Err(); err != nil { // Its deadline may have been the one before.
		return err
	}
	if _, err := e.w.Write(e.text); err != nil {
		return err
	}
	e.text = e.text[:0]
	return e.control.Flush()
}
