package httpapi

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// maxURI is the longest address of a request, in bytes.
	maxURI = 8 << 10
	// maxHeaders is the largest number of header lines of a request.
	maxHeaders = 100
)

// isPrivate reports whether a path needs the token, where there is one.
func isPrivate(path string) bool { return strings.HasPrefix(path, apiPrefix) || path == metricsPath }

// isProbe reports whether a path needs no token, and says more to who sends it: a
// wrong one is a guess there, too.
func isProbe(path string) bool { return path == healthPath || path == readyPath }

// guard refuses what must not reach any route: what is too large, addresses with
// dots for steps, names that are not ours, and pages of strangers.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w.Header(), r)
		if err := s.check(r); err != nil {
			s.writeError(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// setHeaders sets what every answer has, also a refusal. Handlers may overwrite
// it.
func (s *Server) setHeaders(h http.Header, r *http.Request) {
	h.Set("X-Content-Type-Options", "nosniff")
	if !isPrivate(r.URL.Path) && !strings.HasPrefix(r.URL.Path, streamPrefix) {
		return
	}
	h.Set("Cache-Control", "no-store")
	// Pages of other origins neither read the answer nor learn its size (Fetch
	// standard, Cross-Origin-Resource-Policy).
	policy := "same-origin"
	if s.isAllowedPage(r) {
		policy = "cross-origin"
	}
	h.Set("Cross-Origin-Resource-Policy", policy)
}

func (s *Server) check(r *http.Request) error {
	if len(r.RequestURI) > maxURI {
		return fmt.Errorf("%w: it has %d bytes, at most %d are taken", errLongURI, len(r.RequestURI), maxURI)
	}
	lines := 0
	for _, values := range r.Header {
		lines += len(values)
	}
	if lines > maxHeaders {
		return fmt.Errorf("%w: there are %d, at most %d are taken", errManyHeaders, lines, maxHeaders)
	}
	if steps := strings.Split(r.URL.Path, "/"); slices.Contains(steps, "..") || slices.Contains(steps, ".") {
		return newProblem(http.StatusBadRequest, "bad_path", "Bad path", "the path has a step \".\" or \"..\": a uid is none")
	}
	if err := s.checkHost(r); err != nil {
		return err
	}
	if err := s.checkOrigin(r); err != nil {
		return newProblem(http.StatusForbidden, "origin_not_allowed", "Origin not allowed", err.Error())
	}
	return s.checkSite(r)
}

// checkHost keeps a page from using a name of its own for this Sage. A page
// cannot point an address elsewhere, so addresses are allowed where Sage is asked
// by them.
func (s *Server) checkHost(r *http.Request) error {
	if len(s.opts.AllowedHosts) == 0 {
		return nil
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || s.opts.AllowAddresses) || strings.EqualFold(host, "localhost") {
		return nil
	}
	for _, allowed := range s.opts.AllowedHosts {
		if strings.EqualFold(host, allowed) {
			return nil
		}
	}
	return newProblem(http.StatusMisdirectedRequest, "host_not_allowed", "Host not allowed",
		fmt.Sprintf("this sage is not known as %q: name it in SAGE_ALLOWED_HOSTS", host))
}

// checkOrigin lets a page use Sage when it is Sage's own or allowed. Browsers
// name the page in the Origin header (RFC 6454, RFC 6455 section 10.2); other
// programs send none.
func (s *Server) checkOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || s.isAllowedOrigin(origin) {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
		return fmt.Errorf("pages of %q may not use this sage: name it in SAGE_ALLOWED_ORIGINS", origin)
	}
	if scheme := requestOf(r.Context()).scheme; !strings.EqualFold(u.Scheme, scheme) {
		return fmt.Errorf("a page of %q may not use this sage, which is asked over %s: let the proxy send X-Forwarded-Proto, "+
			"and name the proxy in SAGE_TRUSTED_PROXIES", origin, scheme)
	}
	return nil
}

// isAllowedOrigin reports whether the settings allow the pages of an origin.
func (s *Server) isAllowedOrigin(origin string) bool {
	return slices.ContainsFunc(s.opts.AllowedOrigins, func(allowed string) bool {
		return allowed == "*" || strings.EqualFold(origin, strings.TrimSuffix(allowed, "/"))
	})
}

// isAllowedPage reports whether a request comes from a page of another origin that
// the settings allow. What a page loads as a picture has no Origin, but a Referer.
func (s *Server) isAllowedPage(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		return s.isAllowedOrigin(origin)
	}
	page, err := url.Parse(r.Header.Get("Referer"))
	return err == nil && page.Host != "" && s.isAllowedOrigin(page.Scheme+"://"+page.Host)
}

// checkSite refuses what a page of another origin loads without an Origin header,
// such as a picture: who is refused learns neither which uids there are nor how
// large an answer is (Fetch Metadata, Sec-Fetch-Site).
func (s *Server) checkSite(r *http.Request) error {
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "cross-site" && site != "same-site" || !isPrivate(r.URL.Path) || s.isAllowedPage(r) {
		return nil
	}
	return newProblem(http.StatusForbidden, "origin_not_allowed", "Origin not allowed",
		"a page of another origin may not load this: name it in SAGE_ALLOWED_ORIGINS")
}

// authorize refuses calls without the token. It stands behind cors, so that an
// allowed page can read why it is refused.
func (s *Server) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPrivate(r.URL.Path) || isProbe(r.URL.Path) && r.Header.Get("Authorization") != "" {
			if err := s.checkToken(r); err != nil {
				s.writeError(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// checkToken asks for the bearer token (RFC 6750, section 2.1).
func (s *Server) checkToken(r *http.Request) error {
	if s.opts.Token == "" {
		return nil
	}
	header := r.Header.Get("Authorization")
	scheme, given, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(given), []byte(s.opts.Token)) == 1 {
		requestOf(r.Context()).authorized = true
		return nil
	}
	if header == "" {
		return errUnauthorized
	}
	return s.wrongSecret(r.Context(), errUnauthorized)
}

// wrongSecret counts a wrong token, or a stream's address that leads nowhere, and
// returns what the client is refused with. The right one is taken at any time, so
// that nobody is locked out by others who come from the same address.
func (s *Server) wrongSecret(ctx context.Context, refusal error) error {
	if s.attempts.Allow(requestOf(ctx).client) {
		return refusal
	}
	return errManyAttempts
}

// knowsToken reports whether the client may learn particulars.
func (s *Server) knowsToken(ctx context.Context) bool {
	return s.opts.Token == "" || requestOf(ctx).authorized
}

// The kinds of refusals of the edge itself.
var (
	errLongURI       = errors.New("the address is too long")
	errManyHeaders   = errors.New("there are too many headers")
	errUnauthorized  = errors.New("send the header \"Authorization: Bearer ...\" with the token of SAGE_API_TOKEN")
	errManyAttempts  = errors.New("too many wrong tokens came from this address: wait before you try another one")
	errManyStreams   = errors.New("too many streams are open")
	errBusy          = errors.New("too many requests wait for desktops or the container engine: try again soon")
	errBodyTooLarge  = errors.New("the body is too large")
	errBodyTimeout   = errors.New("the body did not come in time")
	errBodyMalformed = errors.New("the body cannot be read")
	errUnknownCall   = errors.New("not a call of this API: see its documentation")
	errOtherMethod   = errors.New("another method is needed")
)
