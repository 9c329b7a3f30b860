package httpapi

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// guard refuses what must not reach any route: addresses with dots for steps,
// names that are not ours, and pages of strangers.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.check(r); err != nil {
			s.writeError(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) check(r *http.Request) error {
	if steps := strings.Split(r.URL.Path, "/"); slices.Contains(steps, "..") || slices.Contains(steps, ".") {
		return newProblem(http.StatusBadRequest, "bad_path", "Bad path", "the path has a step \".\" or \"..\": a uid is none")
	}
	if err := s.checkHost(r); err != nil {
		return err
	}
	if err := s.checkOrigin(r); err != nil {
		return newProblem(http.StatusForbidden, "origin_not_allowed", "Origin not allowed", err.Error())
	}
	return nil
}

// checkHost keeps a page from using a name of its own for this Sage.
func (s *Server) checkHost(r *http.Request) error {
	if len(s.opts.AllowedHosts) == 0 {
		return nil
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost") {
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
	if origin == "" || slices.Contains(s.opts.AllowedOrigins, "*") {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	for _, allowed := range s.opts.AllowedOrigins {
		if strings.EqualFold(origin, strings.TrimSuffix(allowed, "/")) {
			return nil
		}
	}
	return fmt.Errorf("pages of %q may not use this sage: name it in SAGE_ALLOWED_ORIGINS", origin)
}

// authorize refuses calls without the token. It stands behind cors, so that an
// allowed page can read why it is refused.
func (s *Server) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, apiPrefix) || r.URL.Path == metricsPath {
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
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(given), []byte(s.opts.Token)) == 1 {
		return nil
	}
	return newProblem(http.StatusUnauthorized, "unauthorized", "Token needed",
		"send the header \"Authorization: Bearer ...\" with the token of SAGE_API_TOKEN")
}
