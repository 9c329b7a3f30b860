package runtimetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

// probe asks the test program in a container, through Dial.
type probe struct {
	rt runtime.Runtime
	id runtime.ID
}

// await waits until the program answers.
func (p *probe) await(t *testing.T) {
	t.Helper()
	eventually(t, "the program in the container answers", func() bool {
		_, err := p.do(t.Context(), http.MethodGet, "/hostname", nil)
		if err != nil && !errors.Is(err, runtime.ErrRefused) {
			t.Fatalf("the program does not answer: %v%s", err, p.obituary(t))
		}
		return err == nil
	})
}

// obituary is what a failed test wants to know of a container.
func (p *probe) obituary(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	text := ""
	if c, err := p.rt.Inspect(ctx, p.id); err == nil {
		text += "\nstate " + string(c.State) + ", exit code " + strconv.Itoa(c.ExitCode)
	}
	if log, err := p.rt.Logs(ctx, p.id, 20); err == nil {
		text += "\nlog: " + string(log)
	}
	return text
}

// statusError is an answer of the program that says no.
type statusError struct{ text string }

func (e *statusError) Error() string { return e.text }

func (p *probe) do(ctx context.Context, method, target string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return p.rt.Dial(ctx, p.id, app.HTTPPort)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://container"+target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{text: string(bytes.TrimSpace(data))}
	}
	return data, nil
}

func (p *probe) get(t *testing.T, target string) string {
	t.Helper()
	data, err := p.do(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatalf("GET %s: %v%s", target, err, p.obituary(t))
	}
	return string(data)
}

func (p *probe) getJSON(t *testing.T, target string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.get(t, target)), into); err != nil {
		t.Fatalf("GET %s: %v", target, err)
	}
}

func (p *probe) post(t *testing.T, target string, body string) {
	t.Helper()
	if _, err := p.do(t.Context(), http.MethodPost, target, []byte(body)); err != nil {
		t.Fatalf("POST %s: %v%s", target, err, p.obituary(t))
	}
}

// write writes a file in the container; false means that it may not.
func (p *probe) write(t *testing.T, path, content string) bool {
	t.Helper()
	_, err := p.do(t.Context(), http.MethodPost, "/write?path="+url.QueryEscape(path), []byte(content))
	var refused *statusError
	if errors.As(err, &refused) {
		return false
	}
	if err != nil {
		t.Fatalf("write %s: %v%s", path, err, p.obituary(t))
	}
	return true
}

func (p *probe) read(t *testing.T, path string) string {
	t.Helper()
	return p.get(t, "/read?path="+url.QueryEscape(path))
}

// size is the size in bytes of the file system at path in the container.
func (p *probe) size(t *testing.T, path string) int64 {
	t.Helper()
	size, err := strconv.ParseInt(p.get(t, "/size?path="+url.QueryEscape(path)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// wantMount looks for options of the file system that is mounted at path, in the
// kernel's own table (proc_pid_mounts(5)).
func (p *probe) wantMount(t *testing.T, path string, options ...string) {
	t.Helper()
	got := []string(nil)
	for line := range strings.Lines(p.read(t, "/proc/self/mounts")) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[1] == path {
			got = strings.Split(fields[3], ",")
		}
	}
	for _, want := range options {
		if !slices.Contains(got, want) {
			t.Errorf("%s is mounted with %q, want %s", path, got, want)
		}
	}
}

// exit makes the program end with a code; the answer may get lost on the way.
func (p *probe) exit(t *testing.T, code int) {
	t.Helper()
	_, err := p.do(t.Context(), http.MethodPost, "/exit?code="+strconv.Itoa(code), nil)
	var refused *statusError
	if errors.As(err, &refused) {
		t.Fatalf("exit: %v", err)
	}
}

// echo sends data over a connection to the echoing port and reads it back, both
// at once.
func echo(conn net.Conn, data []byte) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(data)
		sent <- err
	}()
	back := make([]byte, len(data))
	if _, err := io.ReadFull(conn, back); err != nil {
		return errors.Join(err, conn.Close(), <-sent)
	}
	if err := <-sent; err != nil {
		return err
	}
	if !bytes.Equal(back, data) {
		return errors.New("what came back is not what was sent")
	}
	return nil
}
