package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is what a call was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

// started is the answer of a start.
type started struct {
	URL string `json:"url"`
	UID string `json:"uid"`
}

// problem is the part of an error's document that clients decide by.
type problem struct {
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Details string `json:"details"`
	Errors  []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
	Reason *struct {
		Phase    string   `json:"phase"`
		ExitCode *int     `json:"exit_code"`
		Log      []string `json:"log"`
	} `json:"reason"`
}

// callLimit bounds one call; a start on a busy machine takes seconds.
const callLimit = 3 * time.Minute

// call makes one request. Headers are "Name: value".
func (d *daemon) call(ctx context.Context, method, path, body string, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, d.address+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := cmp.Or(d.client, http.DefaultClient).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data)}, err
}

// ask is call, and the test ends when there is no answer.
func (d *daemon) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := d.call(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// start asks for a desktop, which must come.
func (d *daemon) start(t *testing.T, uid, body string) started {
	t.Helper()
	if uid != "allocate" {
		d.know(uid)
	}
	a := d.ask(t, http.MethodPost, "/api/vm/any/"+uid, body)
	if a.status != http.StatusOK {
		t.Fatalf("start of %s with %s: status %d: %s", uid, body, a.status, a.body)
	}
	var s started
	a.decode(t, &s)
	if s.URL == "" || s.UID == "" {
		t.Fatalf("start of %s: url or uid is missing: %s", uid, a.body)
	}
	if uid != "allocate" && s.UID != uid {
		t.Fatalf("start of %s: uid is %q", uid, s.UID)
	}
	d.know(s.UID)
	return s
}

// stop takes a desktop away, home and settings included. It may be called from
// any goroutine.
func (d *daemon) stop(t *testing.T, uid string) {
	t.Helper()
	a, err := d.call(t.Context(), http.MethodDelete, "/api/vm/"+uid+"?purge=true", "")
	if err != nil || a.status != http.StatusNoContent {
		t.Errorf("stop of %s: %v, status %d: %s", uid, err, a.status, a.body)
	}
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("answer %q: %v", a.body, err)
	}
}

// refused checks that an answer is a problem document of that kind which says
// something, and gives it.
func (a answer) refused(t *testing.T, status int, code string) problem {
	t.Helper()
	var p problem
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
		return p
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q, want application/problem+json: %s", got, a.body)
		return p
	}
	a.decode(t, &p)
	if p.Code != code {
		t.Errorf("code %q, want %q: %s", p.Code, code, a.body)
	}
	if p.Detail == "" || p.Details != p.Detail {
		t.Errorf("detail %q and details %q: want both, and equal", p.Detail, p.Details)
	}
	return p
}
