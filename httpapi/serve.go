package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// headerTimeout bounds the head of a request, requestTimeout the whole of it, and
	// idleTimeout the time between two requests.
	headerTimeout, requestTimeout, idleTimeout = 10 * time.Second, 30 * time.Second, 2 * time.Minute
	// maxHeaderBytes bounds the head of a request.
	maxHeaderBytes = 32 << 10
	// closeGrace is how long requests that are being answered have to end when the
	// server closes.
	closeGrace = 2 * time.Second
)

// newHTTPServer returns the HTTP server for s. Its write time-out only bounds what
// it writes by itself: each write of a handler sets the deadline anew.
func (s *Server) newHTTPServer() *http.Server {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, IdleTimeout: idleTimeout,
		WriteTimeout: answerTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn),
	}
	s.conns.Bound(server)
	return server
}

// Serve answers the connections of l until Close. It returns nil then.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(s.conns.Listener(l)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close ends Serve, closes the connections that keep Sage waiting, and cuts those
// whose requests have not been answered soon, or when ctx ends. Streams are ended by
// Shutdown.
func (s *Server) Close(ctx context.Context) error {
	s.goDown()
	ctx, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	s.conns.CloseWaiting()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.opts.Logger.Warn("connections cut, since their requests do not end")
		err = s.http.Close()
	}
	s.refusals.leftOut.Flush()
	return err
}
