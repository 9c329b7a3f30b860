package httpapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// requestIDHeader names a request in the logs of all programs that it passes.
const requestIDHeader = "X-Request-Id"

// requestIDChars are those that a sane one is made of.
const requestIDChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// request is what is known of a request's origin.
type request struct {
	id string
	// peer is the other side of the connection, "host:port".
	peer string
	// client is the address that asks: the peer's, or the one that a trusted proxy
	// names.
	client netip.Addr
	// proxied says that a trusted proxy named the client; user is the person that it
	// named, who may be empty.
	proxied bool
	user    string
	// scheme is the one of the address that the client asked: "http" or "https".
	scheme string
	// authorized says that the client has sent the right token.
	authorized bool
	// received says that the whole body is there.
	received bool
	// release gives back what the answer holds; nil for nothing.
	release func()
}

// finish gives back what the answer held, which is out.
func (r *request) finish() {
	if r.release != nil {
		r.release()
	}
}

// requestKey is the context's key of a *request.
type requestKey struct{}

// requestOf returns the request that a context belongs to; an empty one where it
// belongs to none.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// attrs returns what log lines say of a request.
func (r *request) attrs() slog.Attr {
	if !r.proxied {
		return slog.Group("", "request_id", r.id, "remote", r.peer)
	}
	group := []any{"request_id", r.id, "remote", r.client.String(), "proxy", r.peer}
	if r.user != "" {
		group = append(group, "user", clip(r.user))
	}
	return slog.Group("", group...)
}

// identify finds out where a request comes from. It is named by the id that it
// brings, where that is sane, else by a new one; the answer carries it.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) *http.Request {
	from := &request{id: r.Header.Get(requestIDHeader), peer: r.RemoteAddr, scheme: "http"}
	if id := from.id; id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return !strings.ContainsRune(requestIDChars, c) }) {
		from.id = strings.ToLower(rand.Text())
	}
	w.Header().Set(requestIDHeader, from.id)
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		from.client = peer.Addr().Unmap().WithZone("")
	}
	trusted := s.trusts(from.client)
	if trusted {
		from.user = r.Header.Get("X-Forwarded-User")
		if client, ok := s.forwardedFor(r.Header); ok {
			from.client = client
		}
		from.proxied = true
	}
	if r.TLS != nil {
		from.scheme = "https"
	}
	// A page cannot make a browser send this header to another origin without being
	// asked for it (Fetch standard, CORS-unsafe request-header names), so it tells the
	// scheme also where no proxy is named.
	if proto := lastItem(r.Header.Values("X-Forwarded-Proto")); proto != "" && (trusted || len(s.opts.TrustedProxies) == 0) {
		// Traefik names WebSockets by their own scheme; pages have the one of HTTP.
		from.scheme = strings.Replace(strings.ToLower(proto), "ws", "http", 1)
	}
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, from))
}

// trusts reports whether addr is that of a trusted proxy.
func (s *Server) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.opts.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// exempt reports whether many people may come from addr, so that it is no measure
// for a limit: a proxy that names nobody, and everything on this host.
func (s *Server) exempt(addr netip.Addr) bool { return addr.IsLoopback() || s.trusts(addr) }

// forwardedFor returns the last address of X-Forwarded-For, or else of Forwarded
// (RFC 7239), that is not a trusted proxy's: what stands before it is the client's
// own claim.
func (s *Server) forwardedFor(h http.Header) (client netip.Addr, ok bool) {
	hops := items(h.Values("X-Forwarded-For"))
	if len(hops) == 0 {
		for _, element := range items(h.Values("Forwarded")) {
			hops = append(hops, forwardedNode(element))
		}
	}
	for _, hop := range slices.Backward(hops) {
		addr, err := parseNode(hop)
		if err != nil {
			return client, ok
		}
		client, ok = addr, true
		if !s.trusts(addr) {
			break
		}
	}
	return client, ok
}

// forwardedNode returns the value of "for" in an element of a Forwarded header.
func forwardedNode(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// parseNode reads an address with or without a port, IPv6 with or without
// brackets.
func parseNode(text string) (netip.Addr, error) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return addr.Unmap().WithZone(""), err
}

// items returns the items of a list header (RFC 9110, section 5.6.1).
func items(lines []string) []string {
	var all []string
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}

func lastItem(lines []string) string {
	all := items(lines)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}
