package runtimetest

import (
	"fmt"
	"strings"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func logCases() []testCase {
	return []testCase{
		{"logs have both outputs", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			spec.Env[app.EnvMode] = app.ModeExit
			id := s.start(t, spec)
			s.awaitExit(t, id)
			for _, want := range []string{app.LineExit + "\n", app.LineExitError + "\n"} {
				awaitLog(t, s, id, 10, want)
			}
			// The frame headers of a multiplexed stream are not for the caller.
			text := logs(t, s, id, 10)
			if want := len(app.LineExit) + len(app.LineExitError) + 2; len(text) != want {
				t.Errorf("%d bytes, want %d: %q", len(text), want, text)
			}
		}},
		{"logs of a container that has not started are empty", func(t *testing.T, s *scope) {
			if text := logs(t, s, s.create(t, s.spec(t)), 10); text != "" {
				t.Errorf("got %q", text)
			}
		}},
		{"logs give the last lines", func(t *testing.T, s *scope) {
			id := noisy(t, s)
			const count = 20
			var want strings.Builder
			for n := app.NoisyLines - count; n < app.NoisyLines; n++ {
				fmt.Fprintf(&want, "line %05d\n", n)
			}
			if text := logs(t, s, id, count); text != want.String() {
				t.Errorf("got\n%s\nwant\n%s", text, &want)
			}
		}},
		{"logs are bounded", func(t *testing.T, s *scope) {
			id := noisy(t, s)
			const bound = 64 << 10
			text := logs(t, s, id, 2*app.NoisyLines)
			if len(text) > bound || len(text) < bound/2 {
				t.Errorf("%d bytes, want a good part of %d", len(text), bound)
			}
			if last := fmt.Sprintf("line %05d\n", app.NoisyLines-1); !strings.HasSuffix(text, last) {
				t.Errorf("the bound cut the end away: %q is not the last line", last)
			}
		}},
	}
}

func logs(t *testing.T, s *scope, id runtime.ID, lines int) string {
	t.Helper()
	text, err := s.rt.Logs(t.Context(), id, lines)
	if err != nil {
		t.Fatalf("logs: %v", err)
	}
	return string(text)
}

// awaitLog waits for a text in the log, which engines write behind the program's
// back.
func awaitLog(t *testing.T, s *scope, id runtime.ID, lines int, want string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the log has %q", want), func() bool {
		return strings.Contains(logs(t, s, id, lines), want)
	})
}

// noisy starts a container that has printed all its lines.
func noisy(t *testing.T, s *scope) runtime.ID {
	t.Helper()
	spec := s.spec(t, app.HTTPPort)
	spec.Env[app.EnvMode] = app.ModeNoisy
	p := s.run(t, spec)
	awaitLog(t, s, p.id, 1, fmt.Sprintf("line %05d\n", app.NoisyLines-1))
	return p.id
}
