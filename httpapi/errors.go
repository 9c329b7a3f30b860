package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/hashicorp/go-multierror"

	"sage/catalog"
	"sage/httpapi/api"
	"sage/runtime"
	"sage/session"
	"sage/stream"
)

// kind is how one kind of error is told to a client.
type kind struct {
	err    error
	status int
	code   string
	title  string
	// retryAfter is in seconds; zero for errors that waiting does not mend.
	retryAfter int
}

// kinds is the one table of errors. The first row that an error is wins, so
// causes stand before what they cause.
func kinds() []kind {
	return []kind{
		{errLongURI, http.StatusRequestURITooLong, "uri_too_long", "Address too long", 0},
		{errManyHeaders, http.StatusRequestHeaderFieldsTooLarge, "too_many_headers", "Too many headers", 0},
		{errUnauthorized, http.StatusUnauthorized, "unauthorized", "Token needed", 0},
		{errManyAttempts, http.StatusTooManyRequests, "too_many_attempts", "Too many wrong tokens", int(attemptInterval / time.Second)},
		{errManyStreams, http.StatusTooManyRequests, "too_many_streams", "Too many streams", 5},
		{errBusy, http.StatusServiceUnavailable, "busy", "Too much at once", 1},
		{errBodyTooLarge, http.StatusRequestEntityTooLarge, "too_large", "Body too large", 0},
		{errBodyTimeout, http.StatusRequestTimeout, "body_timeout", "Body came too slowly", 0},
		{errBodyMalformed, http.StatusBadRequest, "bad_request", "Malformed body", 0},
		{errUnknownCall, http.StatusNotFound, "no_such_call", "No such call", 0},
		{errOtherMethod, http.StatusMethodNotAllowed, "method_not_allowed", "Another method is needed", 0},
		{session.ErrInvalidUID, http.StatusUnprocessableEntity, "invalid_uid", "Not a valid uid", 0},
		{session.ErrUnknownApp, http.StatusNotFound, "unknown_app", "Unknown app", 0},
		{session.ErrNoSettings, http.StatusNotFound, "unknown_uid", "Unknown uid", 0},
		{session.ErrNotRunning, http.StatusNotFound, "not_running", "Container not running", 0},
		{session.ErrUnknownStream, http.StatusNotFound, codeUnknownStream, "Unknown stream", 0},
		{session.ErrUnknownEndpoint, http.StatusNotFound, "unknown_endpoint", "Unknown endpoint", 0},
		{session.ErrViewOnly, http.StatusForbidden, "view_only", "This link is for looking only", 0},
		{session.ErrTooManyViewers, http.StatusServiceUnavailable, "too_many_viewers", "Too many viewers", 15},
		{session.ErrNoPicture, http.StatusNotFound, "no_picture", "No picture", 0},
		{session.ErrClosing, http.StatusServiceUnavailable, "shutting_down", "Shutting down", 5},
		{session.ErrStopped, http.StatusConflict, "stopped", "Stopped meanwhile", 0},
		{session.ErrPortsExhausted, http.StatusServiceUnavailable, "ports_exhausted", "No free port", 15},
		{session.ErrAtCapacity, http.StatusServiceUnavailable, "at_capacity", "No room for another desktop", 15},
		{session.ErrQueueTimeout, http.StatusServiceUnavailable, "queue_timeout", "Too many starts at once", 15},
		{session.ErrStartTimeout, http.StatusGatewayTimeout, "start_timeout", "Desktop did not start in time", 0},
		{runtime.ErrUnavailable, http.StatusServiceUnavailable, "engine_unavailable", "Container engine does not answer", 5},
		{runtime.ErrExhausted, http.StatusServiceUnavailable, "engine_exhausted", "Host has no more resources", 30},
		{runtime.ErrImageNotFound, http.StatusNotFound, "image_not_found", "Image not found", 0},
		{stream.ErrUpstream, http.StatusBadGateway, "desktop_unreachable", "Desktop does not answer", 0},
		{runtime.ErrConflict, http.StatusConflict, "conflict", "Conflict", 0},
		{runtime.ErrPortInUse, http.StatusConflict, "port_in_use", "Host port in use", 0},
		{runtime.ErrUnsupported, http.StatusNotImplemented, "unsupported", "Not supported by this engine", 0},
		{runtime.ErrInvalid, http.StatusInternalServerError, "engine_refused", "Container engine refused the container", 0},
		{stream.ErrUpgradeRequired, http.StatusUpgradeRequired, "upgrade_required", "WebSocket upgrade required", 0},
		{stream.ErrHandshake, http.StatusBadRequest, "bad_handshake", "Malformed WebSocket handshake", 0},
		{stream.ErrOrigin, http.StatusForbidden, "origin_not_allowed", "Origin not allowed", 0},
		{stream.ErrShuttingDown, http.StatusServiceUnavailable, "shutting_down", "Shutting down", 5},
		{session.ErrStore, http.StatusInsufficientStorage, "settings_not_saved", "Settings cannot be kept", 0},
		{session.ErrStartFailed, http.StatusBadGateway, "start_failed", "Desktop did not start", 0},
		{runtime.ErrNotFound, http.StatusNotFound, "not_found", "Not found", 0},
		{runtime.ErrRefused, http.StatusBadGateway, "desktop_unreachable", "Desktop does not answer", 0},
		{runtime.ErrInternal, http.StatusBadGateway, "engine_failed", "Container engine failed", 0},
		{context.Canceled, 499, "canceled", "Client closed the request", 0},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, "timeout", "Timed out", 0},
		{runtime.ErrCanceled, 499, "canceled", "Client closed the request", 0},
	}
}

const (
	// codeInternal is for what the table does not know.
	codeInternal = "internal"
	// codeUnknownStream is for the address of a stream that leads nowhere.
	codeUnknownStream = "unknown_stream"
)

// maxMistakes is the largest number of mistakes that a problem names.
const maxMistakes = catalog.MaxMistakes

// problem is an api.Problem as huma wants an error to be.
type problem struct {
	api.Problem
	retryAfter int
}

// Error is for logs.
func (p *problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders is huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="sage"`) // RFC 6750, section 3.
	}
	return h
}

// ContentType is huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, code, title, detail string) *problem {
	detail = clipText(detail)
	return &problem{Problem: api.Problem{
		Type: "about:blank", Title: title, Status: status, Detail: detail, Details: detail, Code: code,
	}}
}

// tellProblem makes the document for any error. What the table does not know is
// our own defect: its reason goes to the log alone.
func (s *Server) tellProblem(ctx context.Context, err error) *problem {
	p := problemOf(err)
	if p.Code == codeInternal && s.refusals.allows(ctx) {
		s.opts.Logger.ErrorContext(ctx, "request failed", "error", err, requestOf(ctx).attrs())
	}
	return p
}

// problemOf finds an error in the table.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if p := environmentProblem(err); p != nil {
		return p
	}
	for _, k := range kinds() {
		if !errors.Is(err, k.err) {
			continue
		}
		p := newProblem(k.status, k.code, k.title, err.Error())
		p.retryAfter = k.retryAfter
		var failed *session.StartError
		if errors.As(err, &failed) {
			p.Reason = failure(failed)
		}
		p.Limit = limitMet(err)
		return p
	}
	return newProblem(http.StatusInternalServerError, codeInternal, "Internal error", "the reason is in sage's log")
}

// limitMet is for an error that says how much there may be of something.
func limitMet(err error) *api.LimitMet {
	var full *session.CapacityError
	if errors.As(err, &full) {
		return &api.LimitMet{Name: "max_desktops", Limit: full.Limit, Current: full.Current}
	}
	var ports *session.PortsError
	if errors.As(err, &ports) {
		return &api.LimitMet{Name: "ports", Limit: ports.End - ports.Start, Current: ports.Leased + ports.Held}
	}
	return nil
}

// environmentProblem is for an environment that the catalog refuses: every
// mistake is named.
func environmentProblem(err error) *problem {
	var all *multierror.Error
	var one *catalog.VariableError
	if !errors.As(err, &one) {
		return nil
	}
	mistakes := []error{one}
	if errors.As(err, &all) {
		mistakes = all.Errors
	}
	count := len(mistakes)
	var more *catalog.MoreError
	if errors.As(mistakes[count-1], &more) {
		count += more.Count - 1
	}
	p := newProblem(http.StatusUnprocessableEntity, "invalid_env", "Environment not allowed",
		fmt.Sprintf("%d of the given environment variables cannot be set like this", count))
	for _, m := range mistakes {
		mistake := api.Mistake{Location: "body.env", Message: m.Error()}
		if errors.As(m, &one) {
			mistake.Location += "." + clipText(one.Name)
		}
		p.Errors = append(p.Errors, mistake)
	}
	if len(mistakes) == 1 {
		p.Detail, p.Details = p.Errors[0].Message, p.Errors[0].Message
	}
	return p
}

// humaProblem turns what huma itself refuses into our form of a problem.
func (s *Server) humaProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	codes := map[int]string{
		http.StatusBadRequest:           "bad_request",
		http.StatusUnprocessableEntity:  "invalid_request",
		http.StatusUnsupportedMediaType: "unsupported_media_type",
	}
	code, ok := codes[m.Status]
	if !ok {
		code = codeInternal
	}
	p := newProblem(m.Status, code, m.Title, m.Detail)
	for i, e := range m.Errors {
		if i == maxMistakes {
			p.Errors = append(p.Errors, api.Mistake{Location: "body", Message: fmt.Sprintf("and %d more", len(m.Errors)-i)})
			break
		}
		p.Errors = append(p.Errors, api.Mistake{Location: clipText(e.Location), Message: clipText(e.Message)})
	}
	return p, nil
}

// writeError answers a request that is not huma's.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	p := s.tellProblem(r.Context(), err)
	s.auditRefusal(r, p)
	if hasBody(r) && !requestOf(r.Context()).received {
		// The answer does not wait for what is left of the body.
		w.Header().Set("Connection", "close")
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(p.Problem)
}

// clipText bounds what a client's own words make of a problem.
func clipText(text string) string {
	const longest = 2048
	if len(text) > longest {
		return strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}

func failure(f *session.StartError) *api.Failure {
	if f == nil {
		return nil
	}
	out := &api.Failure{Phase: string(f.Phase), Message: f.Error(), OOMKilled: f.OOMKilled, Log: f.Log}
	if f.Exited {
		out.ExitCode = &f.ExitCode
	}
	return out
}
