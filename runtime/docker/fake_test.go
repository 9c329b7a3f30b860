package docker

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/docker/docker/client"
)

// transport answers in the engine's place.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered makes a Runtime whose engine gives answers by path, without version;
// who the engine is, is answered where the table has nothing else.
func answered(t *testing.T, answers map[string]transport) *Runtime {
	t.Helper()
	round := transport(func(r *http.Request) (*http.Response, error) {
		path := r.URL.Path
		if strings.HasPrefix(path, "/v1.") {
			path = path[strings.IndexByte(path[1:], '/')+1:]
		}
		if answer, ok := answers[path]; ok {
			return answer(r)
		}
		switch path {
		case "/_ping":
			resp, err := reply(http.StatusOK, "OK")(r)
			resp.Header.Set("Api-Version", "1.41")
			return resp, err
		case "/info":
			return reply(http.StatusOK, `{"ServerVersion":"20.10","MemoryLimit":true,"CpuCfsQuota":true,"PidsLimit":true}`)(r)
		case "/networks":
			return reply(http.StatusOK, `[{"Name":"bridge","IPAM":{"Config":[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]}},{"Name":"host"}]`)(r)
		case "/networks/bridge":
			return reply(http.StatusNotFound, `{"message":"network bridge not found"}`)(r)
		}
		t.Errorf("unexpected request: %s %s", r.Method, path)
		return reply(http.StatusTeapot, "{}")(r)
	})
	return &Runtime{open: func() (*client.Client, error) {
		return client.NewClientWithOpts(client.WithHTTPClient(&http.Client{Transport: round}))
	}}
}

// reply is an answer with a status and a body.
func reply(status int, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status,
			Header:     http.Header{"Content-Type": {"application/json"}},
			Body:       io.NopCloser(strings.NewReader(body)),
			Request:    r,
		}, nil
	}
}

// breaks is a connection that fails.
func breaks(err error) transport {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// hangs is an engine that does not answer.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
