package daemon

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wantFree says that neither the data directory nor the address is held.
func wantFree(t *testing.T, c Config) {
	t.Helper()
	unlock, err := lockDir(c.DataDir)
	if err != nil {
		t.Errorf("the data directory is held still: %v", err)
	} else if err := unlock(); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		t.Errorf("the address is held still: %v", err)
	} else {
		l.Close()
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestNewThatFailsLeavesNothing(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, c *Config)
		want   string
	}{
		{"settings", func(_ *testing.T, c *Config) { c.PortEnd = c.PortStart }, "PORT_RANGE_END"},
		{"catalog", func(_ *testing.T, c *Config) { c.Catalog += ".nothing" }, "catalog.yaml.nothing"},
		{"data directory", func(_ *testing.T, c *Config) { c.DataDir = filepath.Join(c.Catalog, "x") }, "SAGE_DATA_DIR"},
		{"address", func(t *testing.T, c *Config) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			c.Listen = l.Addr().String()
		}, "SAGE_LISTEN"},
		{"engine", func(t *testing.T, c *Config) {
			c.Engine = Engine{Kind: EngineDocker, Host: "unix://" + filepath.Join(t.TempDir(), "absent.sock")}
		}, "no container engine answers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			noEngine(t)
			c := config(t)
			c.Listen = freeAddress(t)
			was := c
			test.change(t, &c)
			d, err := New(t.Context(), c)
			if err == nil {
				t.Fatal(d.Close())
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v lacks %q", err, test.want)
			}
			wantFree(t, was)
		})
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	noEngine(t)
	c := config(t)
	c.Engine = Engine{Kind: EngineDocker, Host: engine(t)}
	first, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "used by another sage") || !strings.Contains(err.Error(), "SAGE_DATA_DIR") {
		t.Errorf("got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestRun(t *testing.T) {
	noEngine(t)
	c := config(t)
	c.Engine = Engine{Kind: EngineDocker, Host: engine(t)}
	d, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if d.Info().Version != "99.1" {
		t.Errorf("info %+v", d.Info())
	}
	c.Listen = d.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx, context.Background()) }()
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	for path, want := range map[string]string{"/healthz": `"v1"`, "/readyz": `"99.1"`, "/api/vm/list": "[]", "/api/catalog": `"desk"`} {
		resp, err := client.Get("http://" + c.Listen + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s, %v", path, resp.StatusCode, body, err)
		}
	}
	// A name of somebody else's that leads here.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.Listen+"/api/vm/list", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("status %d", resp.StatusCode)
	}

	cancel()
	select {
	case err := <-ran:
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the daemon does not end")
	}
	if err := d.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	wantFree(t, c)
}

func TestLockEndsWithUnlock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	unlock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("second lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}
