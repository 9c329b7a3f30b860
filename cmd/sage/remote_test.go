package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

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
		bodies[call] = string(body)
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
		"GET /api/vm/list":  {200, `["alice","bob"]`},
		"GET /api/vm/alice": {200, alice},
		// Bob's desktop ended in between.
		"GET /api/vm/bob": {404, `{"code":"not_running","detail":"container not running"}`},
	})
	t.Run("table", func(t *testing.T) {
		got := sage(t, "ls")
		lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
		if len(lines) != 2 {
			t.Fatalf("%+v", got)
		}
		if got := strings.Join(strings.Fields(lines[0]), " "); got != "UID APP STATE CLIENTS AGE URL" {
			t.Error(got)
		}
		fields := strings.Fields(lines[1])
		if strings.Join(fields[:4], " ") != "alice firefox occupied 2" || fields[len(fields)-1] != url+"/desktop/alice" {
			t.Error(fields)
		}
	})
	t.Run("json", func(t *testing.T) {
		got := sage(t, "ls", "--output", "json")
		var desktops []api.Desktop
		if err := json.Unmarshal([]byte(got.stdout), &desktops); err != nil || len(desktops) != 1 || desktops[0].UID != "alice" {
			t.Error(got, err)
		}
	})
	t.Run("wrong token", func(t *testing.T) {
		sage(t, "ls", "--api-token", "x").want(t, 1, "", "give --api-token or SAGE_API_TOKEN")
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
	standIn(t, map[string]answer{"GET /api/vm/list": {200, `[]`}})
	sage(t, "ls", "-o", "json").want(t, 0, "[]\n", "")
	sage(t, "ls").want(t, 0, "UID", "")
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for _, args := range [][]string{{"ls"}, {"run", "firefox"}, {"stop", "u"}} {
		sage(t, append(args, "--url", server.URL)...).want(t, 1, "",
			"no sage answers at "+server.URL+": ")
		sage(t, append(args, "--url", server.URL)...).want(t, 1, "", `start it with "sage serve", or name another one with --url or SAGE_URL`)
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
	for _, tc := range []struct {
		name   string
		answer answer
		code   int
		want   string
	}{
		{"unknown app", answer{404, `{"code":"unknown_app","detail":"unknown app \"x\""}`}, 2, `unknown app "x": the page of this sage shows the apps`},
		{"bad environment", answer{422, `{"code":"invalid_env","detail":"A: no"}`}, 2, "A: no"},
		{"no port", answer{503, `{"code":"ports_exhausted","detail":"no free port"}`}, 1, "no free port"},
		{"failed", answer{502, `{"code":"start_failed","detail":"exit code 7","reason":{"phase":"ready","message":"m","log":["one","two"]}}`}, 1,
			"exit code 7; the last lines of its log:\n  one\n  two\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			standIn(t, map[string]answer{"POST": tc.answer})
			sage(t, "run", "x").want(t, tc.code, "", tc.want)
		})
	}
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
		{"none", []string{"bob"}, 1, "", `"bob" has no desktop: "sage ls" tells those that run`},
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
