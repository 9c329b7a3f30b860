package daemon

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStopWithSilentClients: who sends half a request, or does not read, holds up
// no stop, and the daemon ends without an error.
func TestStopWithSilentClients(t *testing.T) {
	b := drainBench(t, time.Hour)
	for _, text := range []string{
		"", "GET / HT", "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /api/vm/any/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
		"POST /nothing HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 10\r\n\r\n{",
		strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 2000),
	} {
		conn, err := net.Dial("tcp", b.d.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// What is sent without being read may not go out.
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(conn, text)
	}
	if status := b.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	b.end()
	b.awaitEnd(t)
	b.logged(t, "nothing is under way")
}

// TestLimits: connections and streams leave room for the rest, whatever the limit
// of files is.
func TestLimits(t *testing.T) {
	for _, files := range []uint64{0, 64, 256, 1024, 4096, 65536, 1 << 20, 1 << 40} {
		l := limits(files, 512)
		if l.Connections < 1 || l.Streams < 1 || l.PerAddress != 512 {
			t.Errorf("%d files: %+v", files, l)
		}
		if used := uint64(l.Connections + 2*l.Streams); files >= 256 && used+64 > files {
			t.Errorf("%d files, of which %+v are %d", files, l, used)
		}
	}
	if l := limits(65536, 0); l.Streams < 25000 {
		t.Errorf("the unit's limit of files gives %+v", l)
	}
}

// TestWhatOthersMayWriteIsRefused: they would decide on what is run.
func TestWhatOthersMayWriteIsRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		mode os.FileMode
		path func(c *Config) string
		want string // empty: it is taken
	}{
		{"catalog of everybody", 0o666, func(c *Config) string { return c.Catalog }, "chmod o-w"},
		{"catalog that others read", 0o644, func(c *Config) string { return c.Catalog }, ""},
		{"data directory of everybody", 0o777, func(c *Config) string { return c.DataDir }, "SAGE_DATA_DIR"},
		{"data directory of everybody, sticky", 0o777 | os.ModeSticky, func(c *Config) string { return c.DataDir }, "SAGE_DATA_DIR"},
		{"data directory that others read", 0o755, func(c *Config) string { return c.DataDir }, ""},
		{"data directory of a group", 0o770, func(c *Config) string { return c.DataDir }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			noEngine(t)
			c := config(t)
			c.Engine = Engine{Kind: EngineDocker, Host: engine(t)}
			if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(test.path(&c), test.mode); err != nil {
				t.Fatal(err)
			}
			d, err := New(t.Context(), c)
			if err == nil {
				err = d.Close()
			}
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want something on %q", err, test.want)
			}
			if test.want != "" {
				if left, err := filepath.Glob(filepath.Join(c.DataDir, "*")); err != nil || len(left) > 0 {
					t.Errorf("left behind: %q, %v", left, err)
				}
				return
			}
			if info, err := os.Stat(c.DataDir); err != nil || info.Mode().Perm()&0o007 != 0 {
				t.Errorf("the data directory has mode %v, %v", info.Mode(), err)
			}
		})
	}
}

// TestAnonymousIsSaid: a Sage for everybody says so when it starts, and still is
// asked by its own names only.
func TestAnonymousIsSaid(t *testing.T) {
	for name, anonymous := range map[string]bool{"with a token": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			noEngine(t)
			c := config(t)
			c.Engine = Engine{Kind: EngineDocker, Host: engineWith(t, `[{"Name":"bridge","IPAM":{"Config":[{"Subnet":"203.0.113.0/24"}]}}]`)}
			c.Listen, c.AllowAnonymous = "0.0.0.0:0", anonymous
			if !anonymous {
				c.APIToken = strings.Repeat("a", 20)
			}
			var log bytes.Buffer
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
			d, err := New(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if warned := strings.Contains(log.String(), "everybody who reaches this address"); warned != anonymous {
				t.Errorf("the log says:\n%s", log.String())
			}
			if hosts := d.cfg.allowedHosts(); (len(hosts) > 0) != anonymous {
				t.Errorf("hosts %q", hosts)
			}
		})
	}
}
