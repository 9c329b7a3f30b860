package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sage/httpapi"
	"sage/httpapi/api"
)

// proxies trusts every peer on loopback.
func proxies(o *httpapi.Options) {
	o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")}
}

// counter counts refusals by their code.
type counter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *counter) count(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[code]++
}

func (c *counter) of(code string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[code]
}

// TestWrongTokensAreSlowedDown: after ten of an address it is told to wait, which
// the right one never is; each is counted, and other addresses are not concerned.
func TestWrongTokensAreSlowedDown(t *testing.T) {
	var refused counter
	b := newBench(t, proxies, func(o *httpapi.Options) { o.Token, o.Refused = "sesame", refused.count })
	const right = "Authorization: Bearer sesame"
	from := func(address string) string { return "X-Forwarded-For: " + address }
	for _, path := range []string{"/api/vm/list", "/readyz", "/healthz"} {
		wantProblem(t, b.call("GET", path, "", from("198.51.100.7"), "Authorization: Bearer sesamf"), http.StatusUnauthorized, "unauthorized")
	}
	for i := range 7 {
		wantProblem(t, b.call("GET", "/api/vm/list", "", from("198.51.100.7"), fmt.Sprintf("Authorization: Bearer %d", i)), http.StatusUnauthorized, "unauthorized")
	}
	for range 5 {
		wantProblem(t, b.call("GET", "/readyz", "", from("198.51.100.7"), "Authorization: Bearer x"), http.StatusTooManyRequests, "too_many_attempts")
		if a := b.call("GET", "/api/vm/list", "", from("198.51.100.7"), right); a.status != http.StatusOK {
			t.Errorf("the right token: %d %s", a.status, a.body)
		}
	}
	wantProblem(t, b.call("GET", "/api/vm/list", "", from("198.51.100.8"), "Authorization: Bearer x"), http.StatusUnauthorized, "unauthorized")
	// No token is no guess.
	wantProblem(t, b.call("GET", "/api/vm/list", "", from("198.51.100.7")), http.StatusUnauthorized, "unauthorized")
	if n, m := refused.of("unauthorized"), refused.of("too_many_attempts"); n != 12 || m != 5 {
		t.Errorf("%d and %d were counted", n, m)
	}
}

// TestUnknownStreamsAreSlowedDown: like wrong tokens, and in the audit without the
// address that was tried.
func TestUnknownStreamsAreSlowedDown(t *testing.T) {
	var refused counter
	b := newBench(t, func(o *httpapi.Options) { o.Refused = refused.count })
	url := b.start("alice").URL
	try := func() answer {
		_, resp, err := b.open("/stream/guessguessguessguessguess", nil)
		if err == nil || resp == nil {
			t.Fatal(err)
		}
		return b.read(resp)
	}
	for range 10 {
		wantProblem(t, try(), http.StatusNotFound, "unknown_stream")
	}
	for range 5 {
		wantProblem(t, try(), http.StatusTooManyRequests, "too_many_attempts")
	}
	ws, _, err := b.open(url, nil)
	if err != nil {
		t.Fatal("the right address is refused: ", err)
	}
	_ = ws.CloseNow()
	if refused.of("unknown_stream") != 10 || refused.of("too_many_attempts") != 5 {
		t.Errorf("counted %v", refused.counts)
	}
	denied := 0
	for _, a := range b.log.audits(t) {
		if a.Action == "denied" && a.Path == "/stream/" {
			denied++
		}
	}
	if denied != 15 || strings.Contains(b.log.String(), "guessguess") {
		t.Errorf("%d lines:\n%s", denied, b.log.String())
	}
}

// TestAttemptsAreForgiven: who waits may try again.
func TestAttemptsAreForgiven(t *testing.T) {
	inVirtualTime(t, func(o *httpapi.Options) { o.Token = "sesame" }, func(t *testing.T, p *pipes) {
		const wrong = "GET /api/vm/list HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"
		for i, wait := range []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11 * time.Second, 0} {
			<-time.After(wait)
			want := "HTTP/1.1 401"
			if i == 10 || i == 12 {
				want = "HTTP/1.1 429"
			}
			if text, _ := lasts(p.dial("198.51.100.7:1000", wrong)); !strings.HasPrefix(text, want) {
				t.Errorf("attempt %d: %.40q, want %s", i, text, want)
			}
		}
	})
}

// TestRefusalsDoNotFillTheLog: a client writes so many lines about refusals in a
// time, all clients write more but not any number, and the rest is told as a
// number.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	inVirtualTime(t, func(o *httpapi.Options) { o.Token = "sesame" }, func(t *testing.T, p *pipes) {
		const requests = 3000
		for i := range requests {
			path := []string{"/api/vm/list", "/api/vm/any/.."}[i%2]
			p.get(fmt.Sprintf("198.51.100.%d:1000", i%2), path)
			p.get(fmt.Sprintf("198.51.%d.%d:1000", 101+i/200, i%200), "/api/vm/list")
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if size := len(p.log.String()); size > 200_000 {
			t.Errorf("%d bytes of log", size)
		}
		written, leftOut := len(p.log.audits(t)), 0
		for line := range strings.Lines(p.log.String()) {
			var l struct {
				Msg   string
				Lines int
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(l.Msg, "left out") {
				leftOut += l.Lines
			}
		}
		// Bad paths are no matter of who asks.
		if want := requests + requests/2; written+leftOut != want || written > 250 {
			t.Errorf("%d lines and %d left out, want %d", written, leftOut, want)
		}
	})
	t.Run("failed starts", func(t *testing.T) {
		inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
			const body = `{"vm":"nothing"}`
			for range 300 {
				lasts(p.dial("127.0.0.1:1000", fmt.Sprintf("POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)))
			}
			if n := len(p.log.audits(t)); n > 30 {
				t.Errorf("%d lines", n)
			}
		})
	})
}

// TestForwardedClients: only a trusted proxy says who the client is, and only what
// it has added itself counts.
func TestForwardedClients(t *testing.T) {
	for _, test := range []struct {
		name    string
		trusted bool
		headers []string
		remote  string
		user    string
	}{
		{"no proxy", false, []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-User: alice"}, "127.0.0.1:", ""},
		{"proxy", true, []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-User: alice"}, "198.51.100.7", "alice"},
		{"proxy that says nothing", true, nil, "127.0.0.1", ""},
		{"with a port", true, []string{"X-Forwarded-For: 198.51.100.7:4711"}, "198.51.100.7", ""},
		{"IPv6", true, []string{"X-Forwarded-For: 2001:db8::1"}, "2001:db8::1", ""},
		{"claims before it", true, []string{"X-Forwarded-For: 203.0.113.9, 198.51.100.7"}, "198.51.100.7", ""},
		{"two proxies", true, []string{"X-Forwarded-For: 203.0.113.9, 198.51.100.7, 192.0.2.1"}, "198.51.100.7", ""},
		{"rubbish", true, []string{"X-Forwarded-For: 203.0.113.9, <script>, 192.0.2.1"}, "192.0.2.1", ""},
		{"Forwarded", true, []string{`Forwarded: for=203.0.113.9, for="[2001:db8::2]:4711";proto=https`}, "2001:db8::2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, func(o *httpapi.Options) {
				o.Token = "sesame"
				if test.trusted {
					proxies(o)
				}
			})
			b.call("GET", "/api/vm/list", "", test.headers...)
			var line struct{ Remote, Proxy, User string }
			if err := json.Unmarshal([]byte(b.log.String()), &line); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(line.Remote, test.remote) || line.User != test.user || (line.Proxy != "") != test.trusted {
				t.Errorf("got %+v", line)
			}
		})
	}
}

// TestSchemeOfTheOrigin: a page of the same name over another scheme is a
// stranger's.
func TestSchemeOfTheOrigin(t *testing.T) {
	const host = "Host: sage.example"
	for _, test := range []struct {
		name, origin, proto string
		trusted             bool
		status              int
	}{
		{"http", "http://sage.example", "", false, 200},
		{"https without a proxy", "https://sage.example", "", false, 403},
		{"https by a proxy", "https://sage.example", "https", true, 200},
		{"http page, https proxy", "http://sage.example", "https", true, 403},
		{"WebSocket by Traefik", "https://sage.example", "wss", true, 200},
		{"WebSocket by Traefik, http page", "http://sage.example", "wss", true, 403},
		{"several proxies", "https://sage.example", "http, https", true, 200},
		{"other scheme", "ftp://sage.example", "", false, 403},
		{"no origin", "", "https", true, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, func(o *httpapi.Options) {
				if test.trusted {
					proxies(o)
				}
			})
			headers := []string{host}
			for name, value := range map[string]string{"Origin": test.origin, "X-Forwarded-Proto": test.proto} {
				if value != "" {
					headers = append(headers, name+": "+value)
				}
			}
			if a := b.call("GET", "/api/vm/list", "", headers...); a.status != test.status {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	b := newBench(t, func(o *httpapi.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} })
	wantProblem(t, b.call("GET", "/api/vm/list", "", host, "Origin: https://sage.example", "X-Forwarded-Proto: https"), http.StatusForbidden, "origin_not_allowed")
}

// TestPagesThatLoadWithoutOrigin: what a stranger's page loads as a picture tells
// it nothing; Sage's own page and allowed ones load it.
func TestPagesThatLoadWithoutOrigin(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.AllowedOrigins = []string{board} })
	b.start("alice")
	for _, test := range []struct {
		name    string
		headers []string
		status  int
		policy  string
	}{
		{"own page", []string{"Sec-Fetch-Site: same-origin"}, 200, "same-origin"},
		{"typed", []string{"Sec-Fetch-Site: none"}, 200, "same-origin"},
		{"a program", nil, 200, "same-origin"},
		{"stranger", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Referer: https://evil.example/"}, 403, "same-origin"},
		{"stranger without a referer", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, 403, "same-origin"},
		{"stranger of the same site", []string{"Sec-Fetch-Site: same-site", "Referer: http://localhost:3000/"}, 403, "same-origin"},
		{"stranger's link", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}, 403, "same-origin"},
		{"name that begins like the board's", []string{"Sec-Fetch-Site: cross-site", "Referer: https://board.example.evil/"}, 403, "same-origin"},
		{"board", []string{"Sec-Fetch-Site: cross-site", "Origin: " + board}, 200, "cross-origin"},
		{"board's picture", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Referer: " + board + "/"}, 200, "cross-origin"},
	} {
		for _, path := range []string{"/api/vm/alice", "/api/vm/alice/stats", "/api/vm/list"} {
			a := b.call("GET", path, "", test.headers...)
			if a.status != test.status || a.header.Get("Cross-Origin-Resource-Policy") != test.policy {
				t.Errorf("%s, %s: %d %v", test.name, path, a.status, a.header)
			}
		}
	}
	// A link to the page is one.
	if a := b.call("GET", "/desktop/alice", "", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"); a.status != http.StatusOK {
		t.Errorf("the page: %d", a.status)
	}
}

// TestHeadersOfAnswers: nothing of the API is kept by anybody or taken for
// something else, also a refusal.
func TestHeadersOfAnswers(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) {
		o.Token = "sesame"
		o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	})
	const right = "Authorization: Bearer sesame"
	b.post("alice", `{"vm":"desk"}`, right)
	for _, path := range []string{"/api/vm", "/api/vm/alice", "/api/vm/alice/logs", "/api/vm/alice/stats", "/api/catalog", "/api/nothing", "/metrics", "/api/vm/any/.."} {
		for _, auth := range []string{right, "Authorization: Bearer x", ""} {
			name, value, _ := strings.Cut(auth, ": ")
			a := b.raw("GET", path+"", "")
			if auth != "" && !strings.Contains(path, "..") {
				a = b.call("GET", path, "", name+": "+value)
			}
			if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s with %q: %v", path, auth, a.header)
			}
			if challenge := a.header.Get("WWW-Authenticate"); (challenge != "") != (a.status == http.StatusUnauthorized) {
				t.Errorf("%s: status %d with the challenge %q", path, a.status, challenge)
			}
		}
	}
}

// TestProbesTellStrangersNothing: where there is a token, only those who have it
// learn the version, the engine and what is wrong.
func TestProbesTellStrangersNothing(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.Token, o.Version = "sesame", "v1.2.3-secret" })
	const right = "Authorization: Bearer sesame"
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := b.call("GET", path, ""); a.status != http.StatusOK || a.body != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if h := decode[api.Health](t, b.call("GET", path, "", right)); h.Version != "v1.2.3-secret" || (h.Engine != nil) != (path == "/readyz") {
			t.Errorf("%s: %+v", path, h)
		}
	}
	b.engine.Unavailable(true)
	b.eventually("it is not ready", func() bool { return b.call("GET", "/readyz", "").status == http.StatusServiceUnavailable })
	stranger := wantProblem(t, b.call("GET", "/readyz", ""), http.StatusServiceUnavailable, "engine_unavailable")
	friend := wantProblem(t, b.call("GET", "/readyz", "", right), http.StatusServiceUnavailable, "engine_unavailable")
	if strings.Contains(stranger.Detail, "fake") || !strings.Contains(friend.Detail, "fake") {
		t.Errorf("a stranger is told %q, a friend %q", stranger.Detail, friend.Detail)
	}
}

// TestHostsWithoutToken: beyond loopback Sage is asked by its addresses, and by
// names only where they are allowed.
func TestHostsWithoutToken(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.AllowedHosts, o.AllowAddresses = []string{"localhost"}, true })
	for host, status := range map[string]int{
		"172.17.0.1:4024": 200, "[2001:db8::1]:4024": 200, "127.0.0.1": 200, "localhost:4024": 200,
		"rebind.evil.example:4024": 421, "172.17.0.1.evil.example": 421,
	} {
		if a := b.call("GET", "/api/vm/list", "", "Host: "+host); a.status != status {
			t.Errorf("%s: %d", host, a.status)
		}
	}
}

// TestJSONIsUnderstoodInOneWay: what two programs may understand differently is
// refused, at every depth.
func TestJSONIsUnderstoodInOneWay(t *testing.T) {
	b := newBench(t)
	for body, status := range map[string]int{
		`{"vm":"desk","vm":"nowhere"}`:                                  400,
		`{"vm":"nowhere","VM":"desk"}`:                                  422,
		`{"VM":"desk"}`:                                                 422,
		`{"vm":"desk","Env":{}}`:                                        422,
		`{"vm":"desk","env":{"SIZE":"a","SIZE":"b"}}`:                   400,
		`{"vm":"desk","env":{"SIZE":"a","\u0053IZE":"b"}}`:              400,
		`{"vm":"desk","env":{"SIZE":{"a":[{"b":1,"b":2}]}}}`:            400,
		`{"vm":"desk","env":{"SIZE":"vm","DEPTH":1}}`:                   200,
		`{"vm":"desk","env":{"SIZE":"a"},"env":{"SIZE":"a"}}`:           400,
		`[{"vm":1},{"vm":1}]`:                                           422,
		strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000): 422,
	} {
		uid := "alice"
		if a := b.post(uid, body); a.status != status {
			t.Errorf("%.60s: %d %.200s", body, a.status, a.body)
		}
		b.call("DELETE", "/api/vm/"+uid+"?purge=true", "")
	}
	b.wantNothing()
}

// TestMalformedBodies: what does not arrive as it should is the client's mistake.
func TestMalformedBodies(t *testing.T) {
	const head = "POST /api/vm/any/alice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, chunks := range map[string]string{
		"length":         "xyz\r\n{}\r\n0\r\n\r\n",
		"huge length":    "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
		"no line end":    "2\r\n{}0\r\n\r\n",
		"negative":       "-1\r\n{}\r\n0\r\n\r\n",
		"long extension": "2;" + strings.Repeat("a", 100_000) + "\r\n{}\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, nil, func(t *testing.T, p *pipes) {
				if text, took := lasts(p.dial("127.0.0.1:1000", head+chunks)); !strings.HasPrefix(text, "HTTP/1.1 400") || !strings.Contains(text, `"bad_request"`) || took > time.Second {
					t.Errorf("%.300q after %s", text, took)
				}
			})
		})
	}
}

// TestMistakesAreBounded: a small request has no large answer.
func TestMistakesAreBounded(t *testing.T) {
	b := newBench(t)
	var names, fields []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf(`"N%d":1`, i))
		fields = append(fields, fmt.Sprintf(`"f%d":1`, i))
	}
	for body, code := range map[string]string{
		`{"vm":"desk","env":{` + strings.Join(names, ",") + `}}`:              "invalid_env",
		`{"vm":"desk",` + strings.Join(fields, ",") + `}`:                     "invalid_request",
		`{"vm":"desk","env":{"` + strings.Repeat("n", 60_000) + `":1}}`:       "invalid_env",
		`{"vm":"desk","` + strings.Repeat("f", 60_000) + `":1}`:               "invalid_request",
		`{"vm":"` + strings.Repeat("a", 60_000) + `"}`:                        "unknown_app",
		`{"vm":"desk","env":{"DEPTH":"` + strings.Repeat("a", 60_000) + `"}}`: "invalid_env",
	} {
		a := b.post("alice", body)
		p := decode[api.Problem](t, a)
		if p.Code != code || len(p.Errors) > 21 || len(a.body) > 16<<10 {
			t.Errorf("%.40s: %s, %d mistakes, %d bytes", body, p.Code, len(p.Errors), len(a.body))
		}
		if len(p.Errors) == 21 && (p.Errors[20].Message != "and 4980 more" || code == "invalid_env" && !strings.Contains(p.Detail, "5000")) {
			t.Errorf("the last one is %+v: %s", p.Errors[20], p.Detail)
		}
	}
	b.wantNothing()
}

// TestMethods walks over every route with every method: what there is answers,
// with another method it is 405 with those that there are, what there is not is
// 404.
func TestMethods(t *testing.T) {
	metrics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && r.URL.Path != "/desktop/alice" {
			http.NotFound(w, r)
		}
	})
	b := newBench(t, func(o *httpapi.Options) { o.Metrics, o.Page = metrics, page })
	const get = "GET, HEAD, OPTIONS"
	routes := map[string]string{
		"/api/vm/any/alice": "POST, OPTIONS", "/api/vm/any/allocate": "POST, OPTIONS", "/api/vm/any/events": "GET, HEAD, POST, OPTIONS",
		"/api/vm/ws/alice": get, "/api/vm/ws/logs": get, "/api/vm/list": get, "/api/vm": get, "/api/vm/alice": "GET, HEAD, DELETE, OPTIONS",
		"/api/vm/alice/restart": "POST, OPTIONS", "/api/vm/alice/logs": get, "/api/vm/alice/log-stream": get,
		"/api/vm/alice/screenshot.png": get, "/api/vm/alice/stats": get, "/api/vm/alice/events": get, "/api/events": get, "/api/catalog": get,
		"/healthz": get, "/readyz": get, "/metrics": get, "/openapi.json": get, "/docs": get, "/docs/style.css": get, "/catalog.schema.json": get,
		"/stream/guess": get, "/stream/guess/vnc": get, "/": get, "/desktop/alice": get,
	}
	var doc struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(b.call("GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	for path := range doc.Paths {
		path = strings.NewReplacer("{uid}", "alice", "{token}", "guess", "{endpoint}", "vnc").Replace(path)
		if routes[path] == "" {
			t.Errorf("%s is not tried", path)
		}
	}
	for path, allow := range routes {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			if strings.Contains(path, "events") && method == "GET" && path != "/api/vm/any/events" {
				continue // It goes on.
			}
			a := b.raw(method, path, "")
			has := slices.Contains(strings.Split(allow, ", "), method)
			switch {
			case method == "OPTIONS":
				if a.status != http.StatusNoContent || a.header.Get("Allow") != allow {
					t.Errorf("OPTIONS %s: %d, allowed are %q, want %q", path, a.status, a.header.Get("Allow"), allow)
				}
			case !has:
				if a.header.Get("Allow") != allow || a.status != http.StatusMethodNotAllowed {
					t.Errorf("%s %s: %d, allowed are %q, want %q", method, path, a.status, a.header.Get("Allow"), allow)
				} else if method != "HEAD" {
					wantProblem(t, a, http.StatusMethodNotAllowed, "method_not_allowed")
				}
			case a.status == http.StatusMethodNotAllowed || a.header.Get("Allow") != "" || strings.Contains(a.body, "no_such_call"):
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			case method == "HEAD" && a.body != "":
				t.Errorf("HEAD %s: %q", path, a.body)
			}
		}
		if path == "/" {
			continue
		}
		for _, method := range []string{"GET", "POST", "PUT", "OPTIONS"} {
			if a := b.raw(method, path+"/", ""); a.status != http.StatusNotFound || a.header.Get("Allow") != "" {
				t.Errorf("%s %s/: %d %s", method, path, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"/api", "/api/", "/api/nothing", "/api/vm/alice/nothing", "/stream", "/stream/", "/stream/a/b/c", "/nothing"} {
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS", "BREW"} {
			if a := b.raw(method, path, ""); a.status != http.StatusNotFound || a.header.Get("Allow") != "" {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			}
		}
	}
	b.wantNothing()
}
