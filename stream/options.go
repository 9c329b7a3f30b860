package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options of a [Gateway]. The zero value is usable; every zero field means its default.
type Options struct {
	// Logger gets one debug record per stream that ends. Default: nothing is logged. Tokens are never logged.
	Logger *slog.Logger
	// WriteError answers a request that fails before the upgrade. Headers that the status wants (Upgrade,
	// Sec-WebSocket-Version) are set already. Default: status and plain text.
	WriteError func(w http.ResponseWriter, r *http.Request, err error)
	// CheckOrigin decides whether the page that asks may (RFC 6455 section 10.2); its error is wrapped in
	// [ErrOrigin]. Default: requests without Origin and those whose Origin names the request's own host.
	CheckOrigin func(r *http.Request) error
	// Pictured is called once for a framed stream, when its client has been sent so much that there is a picture in it. It
	// must return at once. Default: nothing.
	Pictured func(Attachment)
	// PingInterval is the time between two pings of a framed stream, to a fifth of it. Default 20 s: proxies commonly cut
	// at 60 s.
	PingInterval time.Duration
	// PingTimeout is the time a client has for answering once the ping has reached it. A client that vanished
	// is gone after PingInterval + PingTimeout and a fifth of them at most. Default 10 s.
	PingTimeout time.Duration
	// WriteTimeout bounds one write to either side, at most 256 KiB: a peer that takes nothing for so long is
	// given up. Default 60 s.
	WriteTimeout time.Duration
	// DialTimeout bounds dialling the endpoint and, for websocket endpoints, its handshake. Default 10 s.
	DialTimeout time.Duration
	// CloseTimeout bounds saying goodbye: the close handshake of a framed stream, and how long the second
	// direction of a passed-through one may go on after the first has ended. Default 3 s.
	CloseTimeout time.Duration
	// MaxClientMessage is the largest message, in bytes, that a client of a framed stream may send. Messages
	// are passed on as they come, never collected. Default 16 MiB.
	MaxClientMessage int64
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.WriteError == nil {
		o.WriteError = writePlainError
	}
	if o.CheckOrigin == nil {
		o.CheckOrigin = sameOrigin
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{
		{&o.PingInterval, 20 * time.Second},
		{&o.PingTimeout, 10 * time.Second},
		{&o.WriteTimeout, 60 * time.Second},
		{&o.DialTimeout, 10 * time.Second},
		{&o.CloseTimeout, 3 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	if o.MaxClientMessage <= 0 {
		o.MaxClientMessage = 16 << 20
	}
	return o
}

// sameOrigin lets through what is no page at all and what comes from the host that is asked.
func sameOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil {
		return errors.New("the Origin header is no url")
	}
	if u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
		return fmt.Errorf("%q is not the host %q", origin, r.Host)
	}
	return nil
}
