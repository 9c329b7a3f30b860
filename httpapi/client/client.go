// Package client speaks Sage's HTTP API.
//
// It promises that every refusal comes back as an *Error with the API's stable
// code, that no answer is read without a bound, and that every call ends soon
// after its context. It must not know how Sage works inside: the words of
// package api are all that it shares with the server.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sage/httpapi/api"
)

// maxAnswer bounds an answer, in bytes. Catalogs carry their icons.
const maxAnswer = 16 << 20

// Options are a Client's settings.
type Options struct {
	// Token is the bearer token of the API; empty for none.
	Token string
	// HTTP makes the requests; nil is http.DefaultClient. A start lasts as long as
	// the desktop needs, so a time limit belongs into the contexts of the calls.
	HTTP *http.Client
}

// Client is one Sage, as seen from outside. It may be used from any number of
// goroutines.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New makes a Client for the Sage at base, for example "http://127.0.0.1:4024".
// It does not connect.
func New(base string, opts Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("address %q: use an http or https address such as http://127.0.0.1:4024", base)
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = strings.TrimRight(u.Path, "/"), "", "", ""
	c := &Client{base: u, token: opts.Token, http: opts.HTTP}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	return c, nil
}

// Base is the address of this Sage, without a slash at its end.
func (c *Client) Base() string { return c.base.String() }

// Stream makes the WebSocket address of what StartResponse.URL, LocateResponse.URL
// or Desktop.URL say.
func (c *Client) Stream(path string) string {
	u := *c.base
	u.Scheme = "ws" + strings.TrimPrefix(u.Scheme, "http")
	return u.String() + path
}

// Page is the address of the page that shows a desktop.
func (c *Client) Page(uid string) string { return c.Base() + "/desktop/" + url.PathEscape(uid) }

// Start starts the uid's desktop, or finds the one that runs, and returns when
// it answers.
func (c *Client) Start(ctx context.Context, uid string, req api.StartRequest) (api.StartResponse, error) {
	path, err := callPath("/api/vm/any/", uid)
	if err != nil {
		return api.StartResponse{}, err
	}
	return call[api.StartResponse](ctx, c, http.MethodPost, path, req)
}

// Locate finds the streams of a running desktop. Without one, it is
// CodeNotRunning.
func (c *Client) Locate(ctx context.Context, uid string) (api.LocateResponse, error) {
	path, err := callPath("/api/vm/ws/", uid)
	if err != nil {
		return api.LocateResponse{}, err
	}
	return call[api.LocateResponse](ctx, c, http.MethodGet, path, nil)
}

// List gives the uids of the desktops that answer, sorted.
func (c *Client) List(ctx context.Context) ([]string, error) {
	return call[[]string](ctx, c, http.MethodGet, "/api/vm/list", nil)
}

// Describe tells everything about the uid's desktop, which may also be on its
// way or failed. Without one, it is CodeNotRunning.
func (c *Client) Describe(ctx context.Context, uid string) (api.Desktop, error) {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return api.Desktop{}, err
	}
	return call[api.Desktop](ctx, c, http.MethodGet, path, nil)
}

// Desktops describes every desktop, in whatever state, sorted by uid.
func (c *Client) Desktops(ctx context.Context) ([]api.Desktop, error) {
	all, err := call[api.Desktops](ctx, c, http.MethodGet, "/api/vm", nil)
	return all.Desktops, err
}

// Stop stops the uid's desktop; with purge, its home and saved settings are
// deleted, too.
func (c *Client) Stop(ctx context.Context, uid string, purge bool) error {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return err
	}
	if purge {
		path += "?purge=true"
	}
	_, err = call[struct{}](ctx, c, http.MethodDelete, path, nil)
	return err
}

// Restart stops the uid's desktop and starts it anew with its saved settings, and
// returns when it answers.
func (c *Client) Restart(ctx context.Context, uid string) (api.StartResponse, error) {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return api.StartResponse{}, err
	}
	return call[api.StartResponse](ctx, c, http.MethodPost, path+"/restart", nil)
}

// Logs gives the last lines of what the uid's container wrote, 1 to 2000. Without
// one, it is CodeNotRunning.
func (c *Client) Logs(ctx context.Context, uid string, lines int) (string, error) {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return "", err
	}
	resp, err := c.do(ctx, http.MethodGet, path+"/logs?tail="+strconv.Itoa(lines), "text/plain", nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := c.read(ctx, resp)
	return string(text), err
}

// FollowLogs writes to w what Logs gives, and then what the container writes, until
// it ends, ctx ends, or w gives an error, which it returns.
func (c *Client) FollowLogs(ctx context.Context, uid string, lines int, w io.Writer) error {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return err
	}
	resp, err := c.do(ctx, http.MethodGet, path+"/log-stream?tail="+strconv.Itoa(lines), "text/plain", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		if _, refused := w.Write(buf[:n]); refused != nil {
			return refused
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return c.unreachable(ctx, err)
		}
	}
}

// Stats tells what the uid's desktop uses. Without one, it is CodeNotRunning; on an
// engine that does not count, CodeUnsupported.
func (c *Client) Stats(ctx context.Context, uid string) (api.Stats, error) {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return api.Stats{}, err
	}
	return call[api.Stats](ctx, c, http.MethodGet, path+"/stats", nil)
}

// Catalog gives the apps that can be started.
func (c *Client) Catalog(ctx context.Context) (api.Catalog, error) {
	return call[api.Catalog](ctx, c, http.MethodGet, "/api/catalog", nil)
}

// Ready tells whether desktops can be started, and on which engine. It needs no
// token.
func (c *Client) Ready(ctx context.Context) (api.Health, error) {
	return call[api.Health](ctx, c, http.MethodGet, "/readyz", nil)
}

// callPath is the path of a call about one uid. What would be a different call
// is not sent; all other rules for uids are the server's.
func callPath(prefix, uid string) (string, error) {
	switch uid {
	case "", ".", "..", "list":
		return "", invalidUID(uid)
	}
	return prefix + url.PathEscape(uid), nil
}

func call[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var out T
	resp, err := c.do(ctx, method, path, "application/json", body)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	data, err := c.read(ctx, resp)
	if err != nil || resp.StatusCode == http.StatusNoContent {
		return out, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("%s does not answer like a sage: %s %s: %w", c.Base(), method, path, err)
	}
	return out, nil
}

// do makes a request and gives the answer, whose body is to be closed, where it
// is one of success.
func (c *Client) do(ctx context.Context, method, path, accept string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base()+path, content)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Accept", accept+", application/problem+json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer resp.Body.Close()
	data, err := c.read(ctx, resp)
	if err != nil {
		return nil, err
	}
	return nil, refusal(resp, data)
}

// read reads an answer that has an end.
func (c *Client) read(ctx context.Context, resp *http.Response) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("%s %s: the answer is larger than %d bytes", resp.Request.Method, resp.Request.URL.Path, maxAnswer)
	}
	return data, nil
}

// unreachable is for a request without an answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ended, cause := ctx.Err(), context.Cause(ctx); ended != nil {
		if cause == ended {
			return ended
		}
		return fmt.Errorf("%w: %w", ended, cause)
	}
	var told *url.Error
	if errors.As(err, &told) {
		err = told.Err // The address stands in our own words.
	}
	return &UnreachableError{Base: c.Base(), Err: err}
}
