// Package httpapi is the edge of Sage: routes, the translation between the
// words of the API and those below, the one table of errors, who may ask.
//
// It promises that every refusal is a problem document (RFC 9457) with a stable
// code, and that nothing a client sends is taken without a bound. It must not
// know how desktops live (package session), how bytes flow (package stream) or
// which engine there is.
package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rs/cors"
	"golang.org/x/sync/semaphore"

	"sage/catalog"
	"sage/httpapi/api"
	"sage/httpapi/limit"
	"sage/runtime"
	"sage/session"
	"sage/stream"
)

const (
	// apiPrefix begins the paths of the calls that need the token; metricsPath needs
	// it, too.
	apiPrefix, metricsPath = "/api/", "/metrics"
	// streamPrefix begins the paths of streams.
	streamPrefix = "/stream/"
	// healthPath and readyPath are for probes.
	healthPath, readyPath = "/healthz", "/readyz"
)

// MaxBody is the largest request body that is read, in bytes.
const MaxBody = 64 << 10

// Sessions is what the API needs from below; *session.Manager is one.
type Sessions interface {
	Start(ctx context.Context, uid string, req session.Request) (session.Session, error)
	Get(uid string) (session.Session, error)
	Find(ctx context.Context, uid string) (session.Session, error)
	Kept(uid string) (app string, err error)
	List() []session.Session
	Restart(ctx context.Context, uid string) (session.Session, error)
	Logs(ctx context.Context, uid string, lines int) ([]byte, error)
	FollowLogs(ctx context.Context, uid string, lines int, w io.Writer) error
	Usage(ctx context.Context, uid string) (session.Usage, error)
	Watch(uid string) (*session.Watch, error)
	WatchAll() *session.Watch
	Stop(ctx context.Context, uid string, opts session.StopOptions) error
	Attach(ctx context.Context, token, endpoint string) (*session.Attachment, error)
	Ping(ctx context.Context) (runtime.Info, error)
	Picture(ctx context.Context, uid string, width int) (session.Picture, error)
}

// Options are a Server's settings.
type Options struct {
	Logger *slog.Logger
	// Version is told by /healthz.
	Version string
	// Catalog gives the catalog in force.
	Catalog func() *catalog.Catalog
	// CatalogStatus tells how that catalog is, for /readyz; nil for one that never
	// changes.
	CatalogStatus func() catalog.Status
	// Page serves what is not the API's.
	Page http.Handler
	// Metrics serves /metrics, which needs the token like the API; nil for none.
	Metrics http.Handler
	// Token is the bearer token that every call below /api and /metrics need; empty
	// for none.
	Token string
	// AllowedOrigins are the origins ("https://board.example") whose pages may
	// use the API and the streams, beside Sage's own; "*" allows all.
	AllowedOrigins []string
	// AllowedHosts are the names under which this Sage may be asked; empty allows
	// every name. It keeps pages from reaching Sage by pointing a name of theirs at
	// it (DNS rebinding). Loopback's addresses are always allowed, AllowAddresses
	// allows all others.
	AllowedHosts   []string
	AllowAddresses bool
	// TrustedProxies are the addresses of reverse proxies whose X-Forwarded-For,
	// Forwarded, X-Forwarded-User and X-Forwarded-Proto are believed: for limits, the
	// audit, and the scheme of Sage's own pages.
	TrustedProxies []netip.Prefix
	// Limits bound connections; the zero value is no limit.
	Limits Limits
	// Refused is called with the code of each request that is refused for who asked;
	// nil for nothing. It must return at once.
	Refused func(code string)
	// Dropped is called for each connection that a limit closed; nil for nothing.
	Dropped func()
}

// Limits bound what there may be at a time; zero means no limit. One client has at
// most half of each, so that others find room.
type Limits struct {
	// Connections are those that wait for an answer, or for a request.
	Connections int
	// Streams are WebSockets.
	Streams int
	// PerAddress bounds both for one client address (of IPv6, one /64). Loopback and
	// trusted proxies are exempt, since many people come through them.
	PerAddress int
}

// Server is the HTTP side of a daemon. It may be used from any number of
// goroutines.
type Server struct {
	sessions Sessions
	opts     Options
	gateway  *stream.Gateway
	paths    *paths
	handler  http.Handler
	requests underWay
	// conns bounds connections, held streams, feeds what goes on for as long as the
	// client likes (events and logs), and works what waits for desktops or the engine:
	// a quarter of the connections is left for what is answered at once.
	http               *http.Server
	conns              *limit.Conns
	held, feeds, works *limit.Holds
	// attempts counts wrong tokens.
	attempts *limit.Rates
	refusals refusalLog
	engine   questions
	// pictures bounds the bytes of pictures whose answers are not out yet.
	pictures *semaphore.Weighted
	// down ends when the daemon begins to go down; goDown ends it.
	down   context.Context
	goDown context.CancelFunc
}

// New makes a Server.
func New(sessions Sessions, opts Options) *Server {
	s := &Server{
		sessions: sessions, opts: opts,
		held:     limit.NewHolds(opts.Limits.Streams, opts.Limits.PerAddress),
		feeds:    limit.NewHolds((opts.Limits.Connections+1)/2, opts.Limits.PerAddress),
		works:    limit.NewHolds((opts.Limits.Connections+3)/4, opts.Limits.PerAddress),
		attempts: limit.NewRates(attemptInterval, attemptsAtOnce, knownSources),
		engine:   newQuestions(),
		pictures: semaphore.NewWeighted(pictureBytes),
	}
	s.conns = limit.NewConns(limit.ConnOptions{
		Logger: opts.Logger, Total: opts.Limits.Connections, PerSource: opts.Limits.PerAddress, Exempt: s.exempt, Dropped: opts.Dropped,
	})
	s.http = s.newHTTPServer()
	s.refusals = s.newRefusalLog()
	s.down, s.goDown = context.WithCancel(context.Background())
	s.gateway = stream.New(attacher{sessions, s}, stream.Options{
		Logger: opts.Logger, WriteError: s.writeError, CheckOrigin: s.checkOrigin,
		Pictured: func(a stream.Attachment) { a.(attachment).Pictured() },
	})
	s.paths = newPaths(s.otherwise)
	described := humago.New(s.paths, s.humaConfig())
	s.register(described)
	complete(described.OpenAPI())
	mux := s.paths.whole
	serveDocument(mux, described.OpenAPI())
	mux.Handle("GET "+streamPrefix+"{token}", s.gateway)
	mux.Handle("GET "+streamPrefix+"{token}/{endpoint}", s.gateway)
	if opts.Metrics != nil {
		mux.Handle("GET "+metricsPath, opts.Metrics)
	}
	mux.HandleFunc("GET /catalog.schema.json", catalogSchema)
	mux.HandleFunc("/", s.otherwise)
	s.handler = s.guard(s.cors(s.authorize(s.receive(mux))))
	return s
}

// ServeHTTP answers any request. A stream's request lasts as long as the
// stream.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = s.identify(w, r)
	defer requestOf(r.Context()).finish()
	a := s.newAnswer(w, r)
	defer a.finish()
	s.handler.ServeHTTP(a, r)
}

// Streams gives the number of streams that are open.
func (s *Server) Streams() int { return s.gateway.Active() }

// Traffic gives what has passed through streams so far.
func (s *Server) Traffic() stream.Traffic { return s.gateway.Traffic() }

func (s *Server) goingDown() bool { return s.down.Err() != nil }

// Drain makes the daemon not ready, refuses new streams, ends those of events,
// and waits until the others have ended by themselves and what is being asked has
// been answered, at most until ctx ends. Meanwhile it goes on answering.
func (s *Server) Drain(ctx context.Context) error {
	s.goDown()
	if err := s.gateway.Drain(ctx); err != nil {
		return err
	}
	return s.requests.wait(ctx)
}

// Shutdown ends every stream and waits for their end, at most until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.goDown()
	return s.gateway.Shutdown(ctx)
}

func (s *Server) humaConfig() huma.Config {
	config := huma.DefaultConfig("Sage", api.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Formats = formats()
	config.CreateHooks = nil // No $schema links into answers.
	config.Transformers = []huma.Transformer{s.humaProblem}
	return config
}

// cors lets the pages of allowed origins in (Fetch standard, CORS protocol).
func (s *Server) cors(next http.Handler) http.Handler {
	if len(s.opts.AllowedOrigins) == 0 {
		return next // The library would take an empty list for all origins.
	}
	origins := make([]string, len(s.opts.AllowedOrigins))
	for i, origin := range s.opts.AllowedOrigins {
		origins[i] = strings.TrimSuffix(origin, "/")
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"Retry-After", requestIDHeader},
		MaxAge:         600,
	}).Handler(next)
}

// attacher gives the gateway desktops in its own words.
type attacher struct {
	sessions Sessions
	server   *Server
}

// Attach is stream.Sessions.
func (a attacher) Attach(ctx context.Context, token, endpoint string) (stream.Attachment, error) {
	client := requestOf(ctx).client
	giveBack, ok := a.server.held.Take(client, a.server.exempt(client))
	if !ok {
		return nil, errManyStreams
	}
	held, err := a.sessions.Attach(ctx, token, endpoint)
	if err != nil {
		giveBack()
		if errors.Is(err, session.ErrUnknownStream) {
			err = a.server.wrongSecret(ctx, err)
		}
		return nil, err
	}
	return a.audited(ctx, attachment{Attachment: held, giveBack: giveBack}), nil
}

type attachment struct {
	*session.Attachment
	giveBack, gone func()
}

// Release is stream.Attachment.
func (a attachment) Release() {
	a.Attachment.Release()
	a.gone()
}

// Protocol is stream.Attachment.
func (a attachment) Protocol() string {
	if a.Endpoint.Protocol == catalog.WebSocket && a.Understood() {
		return stream.ProtocolMessages
	}
	return string(a.Endpoint.Protocol)
}

// Path is stream.Attachment.
func (a attachment) Path() string { return a.Endpoint.Path }

// Guard is stream.Attachment.
func (a attachment) Guard(client io.ReadWriter, desktop net.Conn) stream.Guard {
	if !a.Understood() {
		return nil
	}
	return a.Join(client, desktop)
}
