package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sage/httpapi/api"
	"sage/httpapi/client"
)

// asked is what a server saw of a request.
type asked struct{ method, uri, token, contentType, body string }

// serve answers every request in one way and tells what it was asked.
func serve(t *testing.T, status int, contentType, body string) (*client.Client, *asked) {
	t.Helper()
	var got asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = asked{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(data)}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Retry-After", "15")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL+"/", client.Options{Token: "secret", HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return c, &got
}

// followed gives what is told until the stream ends, which is an error.
func followed(follow func(tell func(api.Desktop) error) error) ([]string, error) {
	told := []string{}
	err := follow(func(d api.Desktop) error {
		told = append(told, d.UID+" "+d.State)
		return nil
	})
	var gone *client.UnreachableError
	if errors.As(err, &gone) {
		err = nil
	}
	return told, err
}

func TestFollowEnds(t *testing.T) {
	c, _ := serve(t, 200, "text/event-stream", "event: desktop\ndata: {}\n\nevent: desktop\ndata: {\n\n")
	enough := errors.New("enough")
	if err := c.Follow(t.Context(), "u", func(api.Desktop) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	if err := c.Follow(t.Context(), "u", func(api.Desktop) error { return nil }); err == nil || !strings.Contains(err.Error(), "does not answer like a sage") {
		t.Errorf("got %v", err)
	}
	c, _ = serve(t, 422, "application/problem+json", `{"code":"invalid_uid","detail":"no"}`)
	if err := c.Follow(t.Context(), "u", nil); !client.IsCode(err, client.CodeInvalidUID) {
		t.Errorf("got %v", err)
	}
}

func TestCalls(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		answer string
		call   func(context.Context, *client.Client) (any, error)
		want   string
		asked  asked
	}{
		{"start", 200, `{"url":"/stream/t","uid":"u"}`, func(ctx context.Context, c *client.Client) (any, error) {
			return c.Start(ctx, "allocate", api.StartRequest{VM: "firefox", Env: map[string]any{"A": 1}})
		}, `{"url":"/stream/t","uid":"u"}`, asked{"POST", "/api/vm/any/allocate", "Bearer secret", "application/json", `{"vm":"firefox","env":{"A":1}}`}},
		{"start without app", 200, `{"url":"/stream/t","uid":"u"}`, func(ctx context.Context, c *client.Client) (any, error) {
			return c.Start(ctx, "u", api.StartRequest{})
		}, `{"url":"/stream/t","uid":"u"}`, asked{"POST", "/api/vm/any/u", "Bearer secret", "application/json", `{}`}},
		{"locate", 200, `{"url":"/stream/t"}`, func(ctx context.Context, c *client.Client) (any, error) {
			return c.Locate(ctx, "u-1.x_2")
		}, `{"url":"/stream/t"}`, asked{"GET", "/api/vm/ws/u-1.x_2", "Bearer secret", "", ""}},
		{"list", 200, `["a","b"]`, func(ctx context.Context, c *client.Client) (any, error) {
			return c.List(ctx)
		}, `["a","b"]`, asked{"GET", "/api/vm/list", "Bearer secret", "", ""}},
		{"desktops", 200, `{"desktops":[{"uid":"a"},{"uid":"b"}]}`, func(ctx context.Context, c *client.Client) (any, error) {
			all, err := c.Desktops(ctx)
			return len(all), err
		}, `2`, asked{"GET", "/api/vm", "Bearer secret", "", ""}},
		{"follow", 200, "retry: 1000\n\nevent: desktop\ndata: {\"uid\":\"u\",\"state\":\"ready\"}\n\n: ping\n\nevent: other\ndata: {}\n\n" +
			"event: gone\ndata: {\"uid\":\"u\"}\n\n", func(ctx context.Context, c *client.Client) (any, error) {
			return followed(func(tell func(api.Desktop) error) error { return c.Follow(ctx, "u", tell) })
		}, `["u ready","u absent"]`, asked{"GET", "/api/vm/u/events", "Bearer secret", "", ""}},
		{"follow all", 200, "", func(ctx context.Context, c *client.Client) (any, error) {
			return followed(func(tell func(api.Desktop) error) error { return c.FollowAll(ctx, tell) })
		}, `[]`, asked{"GET", "/api/events", "Bearer secret", "", ""}},
		{"describe escapes", 200, `{"uid":"a/b ?"}`, func(ctx context.Context, c *client.Client) (any, error) {
			d, err := c.Describe(ctx, "a/b ?")
			return d.UID, err
		}, `"a/b ?"`, asked{"GET", "/api/vm/a%2Fb%20%3F", "Bearer secret", "", ""}},
		{"restart", 200, `{"url":"/stream/t","uid":"u"}`, func(ctx context.Context, c *client.Client) (any, error) {
			return c.Restart(ctx, "u")
		}, `{"url":"/stream/t","uid":"u"}`, asked{"POST", "/api/vm/u/restart", "Bearer secret", "", ""}},
		{"logs", 200, "one\ntwo\n", func(ctx context.Context, c *client.Client) (any, error) {
			return c.Logs(ctx, "u", 7)
		}, `"one\ntwo\n"`, asked{"GET", "/api/vm/u/logs?tail=7", "Bearer secret", "", ""}},
		{"stats", 200, `{"pids":7,"network_rx_bytes":8}`, func(ctx context.Context, c *client.Client) (any, error) {
			s, err := c.Stats(ctx, "u")
			return []int64{s.PIDs, *s.NetworkRxBytes}, err
		}, `[7,8]`, asked{"GET", "/api/vm/u/stats", "Bearer secret", "", ""}},
		{"stop", 204, "", func(ctx context.Context, c *client.Client) (any, error) {
			return nil, c.Stop(ctx, "u", false)
		}, `null`, asked{"DELETE", "/api/vm/u", "Bearer secret", "", ""}},
		{"stop and purge", 204, "", func(ctx context.Context, c *client.Client) (any, error) {
			return nil, c.Stop(ctx, "u", true)
		}, `null`, asked{"DELETE", "/api/vm/u?purge=true", "Bearer secret", "", ""}},
		{"catalog", 200, `{"apps":[{"id":"firefox"}]}`, func(ctx context.Context, c *client.Client) (any, error) {
			found, err := c.Catalog(ctx)
			return found.Apps[0].ID, err
		}, `"firefox"`, asked{"GET", "/api/catalog", "Bearer secret", "", ""}},
		{"ready", 200, `{"status":"ok","version":"1"}`, func(ctx context.Context, c *client.Client) (any, error) {
			return c.Ready(ctx)
		}, `{"status":"ok","version":"1"}`, asked{"GET", "/readyz", "Bearer secret", "", ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, got := serve(t, tc.status, "application/json", tc.answer)
			out, err := tc.call(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != tc.want {
				t.Errorf("answer %s, want %s", text, tc.want)
			}
			if *got != tc.asked {
				t.Errorf("asked %+v, want %+v", *got, tc.asked)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const problem = "application/problem+json"
	for _, tc := range []struct {
		name, contentType, body string
		status                  int
		code, text              string
	}{
		{"problem", problem, `{"code":"not_running","status":404,"title":"T","detail":"container not running"}`, 404,
			client.CodeNotRunning, "container not running"},
		{"only a title", problem, `{"code":"internal","status":500,"title":"Internal error"}`, 500, client.CodeInternal, "Internal error"},
		{"one mistake that is the detail", problem,
			`{"code":"invalid_env","detail":"A: no","errors":[{"location":"body.env.A","message":"A: no"}]}`, 422,
			client.CodeInvalidEnv, "A: no"},
		{"mistakes", problem, `{"code":"invalid_env","detail":"2 wrong","errors":[{"location":"body.env.A","message":"a"},{"message":"b"}]}`, 422,
			client.CodeInvalidEnv, "2 wrong\n  body.env.A: a\n  b"},
		{"page of a proxy", "text/html", "<html>", 502, client.CodeForeign, "answered 502 Bad Gateway without saying why"},
		{"other JSON", "application/json", `{"message":"no"}`, 404, client.CodeForeign, "answered 404 Not Found without saying why"},
		{"nothing", "", "", 401, client.CodeForeign, "answered 401 Unauthorized without saying why"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := serve(t, tc.status, tc.contentType, tc.body)
			_, err := c.Describe(t.Context(), "u")
			var refused *client.Error
			if !errors.As(err, &refused) {
				t.Fatalf("%v is no *client.Error", err)
			}
			if !client.IsCode(err, tc.code) {
				t.Errorf("code %q, want %q", refused.Code, tc.code)
			}
			if !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%q does not say %q", err, tc.text)
			}
			if refused.RetryAfter != 15*time.Second {
				t.Errorf("retry after %s", refused.RetryAfter)
			}
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Run("not JSON", func(t *testing.T) {
		c, _ := serve(t, 200, "text/html", "<html>")
		if _, err := c.List(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer like a sage") {
			t.Fatal(err)
		}
	})
	t.Run("endless", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}))
		t.Cleanup(server.Close)
		c, err := client.New(server.URL, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.List(t.Context()); err == nil || !strings.Contains(err.Error(), "larger than") {
			t.Fatal(err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		c, err := client.New(server.URL, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.List(t.Context())
		var gone *client.UnreachableError
		if !errors.As(err, &gone) || gone.Base != server.URL {
			t.Fatal(err)
		}
	})
	t.Run("context ends", func(t *testing.T) {
		arrived := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		}))
		t.Cleanup(server.Close)
		c, err := client.New(server.URL, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("no patience")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-arrived
			cancel(why)
		}()
		if _, err := c.List(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Fatal(err)
		}
	})
}

func TestUIDsThatAreOtherCalls(t *testing.T) {
	c, got := serve(t, 200, "application/json", "{}")
	for _, uid := range []string{"", ".", "..", "list"} {
		if err := c.Stop(t.Context(), uid, true); !client.IsCode(err, client.CodeInvalidUID) {
			t.Errorf("%q: %v", uid, err)
		}
	}
	if *got != (asked{}) {
		t.Errorf("asked %+v", *got)
	}
}

func TestAddresses(t *testing.T) {
	c, err := client.New("https://host.example/sage/", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Page("a/b"), "https://host.example/sage/desktop/a%2Fb"; got != want {
		t.Errorf("page %s, want %s", got, want)
	}
	if got, want := c.Stream("/stream/t"), "wss://host.example/sage/stream/t"; got != want {
		t.Errorf("stream %s, want %s", got, want)
	}
	for _, base := range []string{"", "127.0.0.1:4024", "ftp://host", "http://", "://"} {
		if _, err := client.New(base, client.Options{}); err == nil {
			t.Errorf("%q was taken for an address", base)
		}
	}
}
