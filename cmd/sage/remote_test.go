package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sage/httpapi/api"
)

// answer is what a stand-in for the daemon says to one call.
type answer struct {
	status int
	body   string
}

// standIn answers calls ("GET /path?query") and notes the bodies it is given.
func standIn(t *testing.T, answers map[string]answer) (url string, bodies map[string]string) {
	t.Helper()
	bodies = map[string]string{}
	var mu sync.Mutex // Events are followed beside a start.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + r.RequestURI
		if strings.HasPrefix(call, "POST /api/vm/any/") && answers[call].status == 0 {
			call = "POST"
		}
		a, ok := answers[call]
		if !ok || r.Header.Get("Authorization") != "Bearer t0ken" {
			a = answer{401, `{"code":"unauthorized","detail":"unexpected: ` + call + `"}`}
		}
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		bodies[call] = string(body)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	t.Setenv("SAGE_URL", server.URL)
	t.Setenv("SAGE_API_TOKEN", "t0ken")
	return server.URL, bodies
}

const alice = `{"uid":"alice","app":"firefox","state":"occupied","url":"/stream/t","container":"c","endpoints":[],` +
	`"clients":2,"created_at":"2001-01-01T00:00:00Z"}`

func TestLs(t *testing.T) {
	url, _ := standIn(t, map[string]answer{
		"GET /api/vm": {200, `{"desktops":[` + alice + `,{"uid":"bob","app":"blender","state":"preparing","phase":"queued"}]}`},
	})
	t.Run("table", func(t *testing.T) {
		got := sage(t, "ls")
		lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
		if len(lines) != 3 {
			t.Fatalf("%+v", got)
		}
		if got := strings.Join(strings.Fields(lines[0]), " "); got != "UID APP STATE CLIENTS AGE URL" {
			t.Error(got)
		}
		fields := strings.Fields(lines[1])
		if strings.Join(fields[:4], " ") != "alice firefox occupied 2" || fields[len(fields)-1] != url+"/desktop/alice" {
			t.Error(fields)
		}
		if fields := strings.Fields(lines[2]); strings.Join(fields[:5], " ") != "bob blender preparing 0 -" {
			t.Error(fields)
		}
	})
	t.Run("json", func(t *testing.T) {
		got := sage(t, "ls", "--output", "json")
		var desktops []api.Desktop
		if err := json.Unmarshal([]byte(got.stdout), &desktops); err != nil || len(desktops) != 2 || desktops[0].UID != "alice" {
			t.Error(got, err)
		}
	})
	t.Run("wrong token", func(t *testing.T) {
		sage(t, "ls", "--api-token-file", write(t, "token", "x\n")).want(t, exitUsage, "", "SAGE_API_TOKEN or SAGE_API_TOKEN_FILE")
		t.Setenv("SAGE_API_TOKEN", "")
		sage(t, "ls", "--api-token-file", write(t, "token", "x\n")).want(t, exitDenied, "", "set SAGE_API_TOKEN, or name a file with --api-token-file")
	})
	t.Run("token from a file", func(t *testing.T) {
		t.Setenv("SAGE_API_TOKEN", "")
		sage(t, "ls", "--api-token-file", write(t, "token", "t0ken\n")).want(t, 0, "alice", "")
	})
	t.Run("token among the arguments", func(t *testing.T) {
		for _, args := range [][]string{{"ls", "--api-token", "t0ken"}, {"ls", "--api-token=t0ken"}, {"serve", "-api-token", "t0ken"}} {
			sage(t, args...).want(t, exitUsage, "", "every account of this host sees the arguments")
		}
	})
	t.Run("token file that others may write", func(t *testing.T) {
		file := write(t, "token", "t0ken")
		if err := os.Chmod(file, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Setenv("SAGE_API_TOKEN", "")
		sage(t, "ls", "--api-token-file", file).want(t, exitUsage, "", "every account of this host may write")
	})
	t.Run("address from the settings file, token from the environment", func(t *testing.T) {
		// The Setenv of standIn puts it back.
		if err := os.Unsetenv("SAGE_URL"); err != nil {
			t.Fatal(err)
		}
		file := write(t, "sage.yaml", "url: "+url+"\n")
		sage(t, "ls", "--config", file).want(t, 0, "alice", "")
	})
}

func TestLsOfNone(t *testing.T) {
	standIn(t, map[string]answer{"GET /api/vm": {200, `{"desktops":[]}`}})
	sage(t, "ls", "-o", "json").want(t, 0, "[]\n", "")
	sage(t, "ls").want(t, 0, "UID", "")
}

func TestApps(t *testing.T) {
	standIn(t, map[string]answer{"GET /api/catalog": {200, `{"apps":[{"id":"firefox","title":"Firefox","aliases":["ff","web"]}]}`}})
	sage(t, "apps").want(t, 0, "firefox   Firefox   ff, web\n", "")
	sage(t, "apps", "-o", "json").want(t, 0, `"id": "firefox"`, "")
}

func TestLogs(t *testing.T) {
	standIn(t, map[string]answer{
		"GET /api/vm/alice/logs?tail=200":       {200, "one\ntwo\n"},
		"GET /api/vm/alice/logs?tail=1":         {200, "two\n"},
		"GET /api/vm/alice/log-stream?tail=200": {200, "two\nthree\n"},
		"GET /api/vm/alice/logs?tail=0":         {422, `{"code":"invalid_request","detail":"tail is too small"}`},
		"GET /api/vm/bob/logs?tail=200":         {404, `{"code":"not_running","detail":"container not running"}`},
		"GET /api/vm/bob/log-stream?tail=200":   {404, `{"code":"not_running","detail":"container not running"}`},
	})
	sage(t, "logs", "alice").want(t, 0, "one\ntwo\n", "")
	sage(t, "logs", "alice", "--tail", "1").want(t, 0, "two\n", "")
	sage(t, "logs", "alice", "--tail", "0").want(t, exitUsage, "", "tail is too small")
	sage(t, "logs", "alice", "-f").want(t, 0, "two\nthree\n", "")
	sage(t, "logs", "bob").want(t, exitNotFound, "", `"sage ls" tells the desktops`)
	sage(t, "logs", "bob", "--follow").want(t, exitNotFound, "", `"sage ls" tells the desktops`)
	sage(t, "logs").want(t, exitUsage, "", "UID is missing")
}

const aliceStats = `{"cpu_percent":12.34,"memory_bytes":1048576,"memory_limit_bytes":2097152,"pids":7,"network_rx_bytes":2048}`

func TestStats(t *testing.T) {
	standIn(t, map[string]answer{
		"GET /api/vm":             {200, `{"desktops":[` + alice + `,{"uid":"bob","state":"preparing"},{"uid":"carol","state":"ready","url":"/stream/c"}]}`},
		"GET /api/vm/alice":       {200, alice},
		"GET /api/vm/alice/stats": {200, aliceStats},
		// Carol's desktop ended in between.
		"GET /api/vm/carol/stats": {404, `{"code":"not_running","detail":"container not running"}`},
		"GET /api/vm/dave":        {200, `{"uid":"dave","state":"ready","url":"/stream/d"}`},
		"GET /api/vm/dave/stats":  {501, `{"code":"unsupported","detail":"this engine does not count"}`},
	})
	row := "alice   firefox   12.3%   1MiB / 2MiB      7      2KiB     -\n"
	sage(t, "stats").want(t, 0, row, "")
	sage(t, "stats", "alice").want(t, 0, row, "")
	if got := sage(t, "stats"); strings.Count(got.stdout, "\n") != 2 {
		t.Error(got)
	}
	var used []use
	if err := json.Unmarshal([]byte(sage(t, "stats", "-o", "json").stdout), &used); err != nil || len(used) != 1 || used[0].UID != "alice" || used[0].PIDs != 7 {
		t.Errorf("%+v, %v", used, err)
	}
	sage(t, "stats", "dave").want(t, exitFailed, "", "does not count")
}

// TestWatchUsage draws anew until it is told to end.
func TestWatchUsage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var screen strings.Builder
	asked := 0
	err := watchUsage(ctx, &screen, time.Millisecond, func(context.Context) ([]use, error) {
		if asked++; asked == 3 {
			cancel()
		}
		return []use{{UID: fmt.Sprint("u", asked)}}, nil
	})
	if err != nil || strings.Count(screen.String(), "\x1b[H") != 2 || !strings.Contains(screen.String(), "u2") {
		t.Errorf("%v: %q", err, screen.String())
	}
}

// browser puts a program in the place of the system's opener, and gives the
// function that waits for what it was asked to open.
func browser(t *testing.T) (opened func() string) {
	t.Helper()
	dir := t.TempDir()
	asked := filepath.Join(dir, "asked")
	if err := syscall.Mkfifo(asked, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho \"$1\" > "+asked+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("DISPLAY", ":7")
	return func() string {
		text, err := os.ReadFile(asked)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
}

func TestOpen(t *testing.T) {
	url, _ := standIn(t, map[string]answer{
		"GET /api/vm/alice": {200, alice},
		"GET /api/vm/bob":   {404, `{"code":"not_running","detail":"container not running"}`},
	})
	page := url + "/desktop/alice"
	opened := browser(t)
	sage(t, "open", "alice").want(t, 0, page+"\n", "")
	if got := opened(); got != page {
		t.Errorf("opened %q", got)
	}
	sage(t, "open", "bob").want(t, exitNotFound, "", "container not running")
	t.Setenv("PATH", t.TempDir())
	sage(t, "open", "alice").want(t, exitFailed, page+"\n", "no browser was opened")
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	sage(t, "open", "alice").want(t, exitFailed, page+"\n", "there is no screen here")
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for _, args := range [][]string{{"ls"}, {"run", "firefox"}, {"restart", "u"}, {"stop", "u"}, {"stats"}, {"logs", "u"}, {"open", "u"}, {"apps"}} {
		sage(t, append(args, "--url", server.URL)...).want(t, exitUnreachable, "",
			"no sage answers at "+server.URL+": ")
		sage(t, append(args, "--url", server.URL)...).want(t, exitUnreachable, "", `start it with "sage serve", or name another one with --url or SAGE_URL`)
	}
}

func TestRun(t *testing.T) {
	t.Run("given uid", func(t *testing.T) {
		url, bodies := standIn(t, map[string]answer{"POST /api/vm/any/alice": {200, `{"url":"/stream/t","uid":"alice"}`}})
		got := sage(t, "run", "firefox", "--uid", "alice", "--env", "A=1,2", "--env", "B=x=y")
		ws := "ws" + strings.TrimPrefix(url, "http")
		want := "uid     alice\npage    " + url + "/desktop/alice\nstream  " + ws + "/stream/t\n"
		if got.code != 0 || got.stdout != want {
			t.Errorf("%+v, want %q", got, want)
		}
		if body := bodies["POST /api/vm/any/alice"]; body != `{"vm":"firefox","env":{"A":"1,2","B":"x=y"}}` {
			t.Error(body)
		}
	})
	t.Run("new uid", func(t *testing.T) {
		standIn(t, map[string]answer{"POST": {200, `{"url":"/stream/t","uid":"new"}`}})
		sage(t, "run", "firefox").want(t, 0, "uid     new\n", "")
	})
	t.Run("what a uid had", func(t *testing.T) {
		_, bodies := standIn(t, map[string]answer{"POST /api/vm/any/alice": {200, `{"url":"/stream/t","uid":"alice"}`}})
		sage(t, "run", "--uid", "alice").want(t, 0, "uid     alice\n", "")
		if body := bodies["POST /api/vm/any/alice"]; body != `{}` {
			t.Error(body)
		}
	})
	t.Run("json", func(t *testing.T) {
		url, _ := standIn(t, map[string]answer{"POST": {200, `{"url":"/stream/t","uid":"new"}`}})
		var at place
		if err := json.Unmarshal([]byte(sage(t, "run", "firefox", "-o", "json").stdout), &at); err != nil || at.UID != "new" || at.Page != url+"/desktop/new" {
			t.Errorf("%+v, %v", at, err)
		}
	})
	t.Run("opened", func(t *testing.T) {
		url, _ := standIn(t, map[string]answer{"POST": {200, `{"url":"/stream/t","uid":"new"}`}})
		opened := browser(t)
		sage(t, "run", "firefox", "--open").want(t, 0, "uid     new\n", "")
		if got := opened(); got != url+"/desktop/new" {
			t.Errorf("opened %q", got)
		}
		t.Setenv("DISPLAY", "")
		t.Setenv("WAYLAND_DISPLAY", "")
		sage(t, "run", "firefox", "--open").want(t, 0, "uid     new\n", "there is no screen here")
	})
	for _, tc := range []struct {
		name   string
		answer answer
		code   int
		want   string
	}{
		{"unknown app", answer{404, `{"code":"unknown_app","detail":"unknown app \"x\""}`}, exitNotFound, `unknown app "x": "sage apps" tells those that there are`},
		{"bad environment", answer{422, `{"code":"invalid_env","detail":"A: no"}`}, 2, "A: no"},
		{"no port", answer{503, `{"code":"ports_exhausted","detail":"no free port"}`}, exitNoRoom, "no free port"},
		{"full", answer{503, `{"code":"at_capacity","detail":"2 of 2 desktops run"}`}, exitNoRoom, "2 of 2"},
		{"no engine", answer{503, `{"code":"engine_unavailable","detail":"no engine"}`}, exitUnreachable, "no engine"},
		{"failed", answer{502, `{"code":"start_failed","detail":"exit code 7","reason":{"phase":"ready","message":"m","log":["one","two"]}}`}, 1,
			"exit code 7; the last lines of its log:\n  one\n  two\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			standIn(t, map[string]answer{"POST": tc.answer})
			sage(t, "run", "x").want(t, tc.code, "", tc.want)
		})
	}
}

func TestRestart(t *testing.T) {
	url, bodies := standIn(t, map[string]answer{
		"POST /api/vm/alice/restart": {200, `{"url":"/stream/t","uid":"alice"}`},
		"POST /api/vm/bob/restart":   {404, `{"code":"unknown_uid","detail":"\"bob\" has no saved settings"}`},
	})
	ws := "ws" + strings.TrimPrefix(url, "http")
	sage(t, "restart", "alice").want(t, 0, "uid     alice\npage    "+url+"/desktop/alice\nstream  "+ws+"/stream/t\n", "")
	if body, asked := bodies["POST /api/vm/alice/restart"]; !asked || body != "" {
		t.Errorf("asked: %t, with %q", asked, body)
	}
	var at place
	if err := json.Unmarshal([]byte(sage(t, "restart", "alice", "-o", "json").stdout), &at); err != nil || at.UID != "alice" {
		t.Errorf("%+v, %v", at, err)
	}
	sage(t, "restart", "bob").want(t, exitNotFound, "", "no saved settings")
	sage(t, "restart").want(t, 2, "", "UID is missing")
	sage(t, "restart", "").want(t, 2, "", "cannot name a desktop")
}

func TestStop(t *testing.T) {
	standIn(t, map[string]answer{
		"DELETE /api/vm/alice":            {204, ""},
		"DELETE /api/vm/alice?purge=true": {204, ""},
		"DELETE /api/vm/bob":              {404, `{"code":"not_running","detail":"container not running"}`},
		"DELETE /api/vm/a%20b":            {422, `{"code":"invalid_uid","detail":"uid contains ' '"}`},
	})
	for _, tc := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"stop", []string{"alice"}, 0, "alice\n", ""},
		{"purge", []string{"--purge", "alice"}, 0, "alice\n", ""},
		{"none", []string{"bob"}, exitNotFound, "", `container not running: "sage ls" tells the desktops`},
		{"invalid", []string{"a b"}, 2, "", "uid contains"},
		{"empty", []string{""}, 2, "", "cannot name a desktop"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sage(t, append([]string{"stop"}, tc.args...)...).want(t, tc.code, tc.stdout, tc.stderr)
		})
	}
	t.Run("purge after the uid", func(t *testing.T) {
		_, bodies := standIn(t, map[string]answer{"DELETE /api/vm/alice?purge=true": {204, ""}})
		sage(t, "stop", "alice", "--purge").want(t, 0, "alice\n", "")
		if len(bodies) != 1 {
			t.Error(bodies)
		}
	})
}
