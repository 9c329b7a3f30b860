package runtimetest

import (
	"slices"
	"testing"

	"sage/runtime/runtimetest/testapp/app"
)

func processCases() []testCase {
	return []testCase{
		{"the environment arrives", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			odd := map[string]string{
				"SPACES":  " a  b ",
				"EQUALS":  "a=b=c",
				"QUOTES":  `"double" 'single' \back\`,
				"LINES":   "one\ntwo",
				"DOLLAR":  "$HOME ${HOME} $$ $(id)",
				"EMPTY":   "",
				"UNICODE": "Grüße, 世界",
			}
			for name, value := range odd {
				spec.Env[name] = value
			}
			var got []string
			s.run(t, spec).getJSON(t, "/env", &got)
			for name, value := range odd {
				if !slices.Contains(got, name+"="+value) {
					t.Errorf("%s=%q is not in %q", name, value, got)
				}
			}
			if !slices.Contains(got, "TESTAPP_IMAGE=yes") {
				t.Errorf("the image's own environment is gone: %q", got)
			}
		}},
		{"the environment overrides the image's", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Env["TESTAPP_IMAGE"] = "no"
			var got []string
			s.run(t, spec).getJSON(t, "/env", &got)
			if !slices.Contains(got, "TESTAPP_IMAGE=no") || slices.Contains(got, "TESTAPP_IMAGE=yes") {
				t.Errorf("environment is %q", got)
			}
		}},
		{"the host name arrives", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Hostname = "sage-host"
			if got := s.run(t, spec).get(t, "/hostname"); got != spec.Hostname {
				t.Errorf("host name is %q, want %q", got, spec.Hostname)
			}
		}},
		{"a container has no privileges", func(t *testing.T, s *scope) {
			if s.inProcess {
				t.Skip("there is no kernel between this runtime and its containers")
			}
			var got app.Privileges
			s.run(t, s.spec(t, app.HTTPPort)).getJSON(t, "/privileges", &got)
			if got.Effective|got.Permitted|got.Bounding != 0 {
				t.Errorf("capabilities: effective %x, permitted %x, bounding %x, want none",
					got.Effective, got.Permitted, got.Bounding)
			}
			if !got.NoNewPrivileges {
				t.Error("no-new-privileges is not set")
			}
			if got.UID != 1000 {
				t.Errorf("runs as user %d, want the image's 1000", got.UID)
			}
		}},
	}
}
