package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// underUID is what the calls about a part of one desktop begin with.
const underUID = "/api/vm/{uid}/"

// noDelete keeps the word "list" from being taken for a uid.
const noDelete = "DELETE /api/vm/list"

// paths is a mux for the API's calls. In the original's /api/vm/ws/{uid} a word
// stands where other calls have the uid: to one mux alone, "/api/vm/ws/events"
// could mean either, which it refuses. Here the word comes first.
type paths struct {
	// whole has every call but those below a uid, which are parts.
	whole, parts *http.ServeMux
}

func newPaths(otherwise http.HandlerFunc) *paths {
	p := &paths{whole: http.NewServeMux(), parts: http.NewServeMux()}
	p.parts.HandleFunc("/", otherwise)
	p.whole.HandleFunc(noDelete, otherwise)
	p.whole.Handle(underUID+"{part}", p.parts)
	return p
}

// HandleFunc is humago.Mux.
func (p *paths) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	if strings.Contains(pattern, underUID) {
		p.parts.HandleFunc(pattern, handler)
	} else {
		p.whole.HandleFunc(pattern, handler)
	}
}

// ServeHTTP is humago.Mux.
func (p *paths) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.whole.ServeHTTP(w, r) }

// methods returns those that a path has; none for one that is no call.
func (p *paths) methods(path string) []string {
	var all []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		r := &http.Request{Method: method, URL: &url.URL{Path: path}}
		_, pattern := p.whole.Handler(r)
		if pattern == underUID+"{part}" {
			_, pattern = p.parts.Handler(r)
		}
		// What is for every method is what answers otherwise.
		if strings.Contains(pattern, " ") && pattern != noDelete {
			all = append(all, method)
		}
	}
	return all
}

// otherwise answers what no route has: a call with another method, a path that is
// no call, or the page.
func (s *Server) otherwise(w http.ResponseWriter, r *http.Request) {
	methods := s.paths.methods(r.URL.Path)
	if len(methods) == 0 && s.isPagePath(r.URL.Path) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			s.opts.Page.ServeHTTP(w, r)
			return
		}
		if s.pageHas(r) {
			methods = []string{http.MethodGet, http.MethodHead}
		}
	}
	asked := r.Method + " " + (&url.URL{Path: r.URL.Path}).String()
	if len(methods) == 0 {
		s.writeError(w, r, fmt.Errorf("%s is %w", asked, errUnknownCall))
		return
	}
	allow := strings.Join(append(methods, http.MethodOptions), ", ")
	w.Header().Set("Allow", allow) // RFC 9110, section 10.2.1.
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.writeError(w, r, fmt.Errorf("%s: %w: use %s", asked, errOtherMethod, allow))
}

// pageHas reports whether the page has something at a request's path.
func (s *Server) pageHas(r *http.Request) bool {
	asked := r.Clone(r.Context())
	asked.Method = http.MethodHead
	found := statusOnly{header: http.Header{}, status: http.StatusOK}
	s.opts.Page.ServeHTTP(&found, asked)
	return found.status != http.StatusNotFound
}

// statusOnly is an answer of which nothing but the status is kept.
type statusOnly struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (o *statusOnly) Header() http.Header { return o.header }

// WriteHeader implements http.ResponseWriter.
func (o *statusOnly) WriteHeader(status int) { o.status = status }

// Write implements http.ResponseWriter.
func (o *statusOnly) Write(p []byte) (int, error) { return len(p), nil }

// isPagePath reports whether a path may be one of the page's: not below a prefix
// of other routes, and no call with a slash too many.
func (s *Server) isPagePath(path string) bool {
	if strings.HasPrefix(path, apiPrefix) || strings.HasPrefix(path, streamPrefix) {
		return false
	}
	bare := strings.TrimRight(path, "/")
	return bare == path || bare == "" || len(s.paths.methods(bare)) == 0
}
