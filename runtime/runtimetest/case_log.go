package runtimetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
		{"logs are followed to the end", testFollowLogs},
		{"a follower of logs leaves", func(t *testing.T, s *scope) {
			id := noisy(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := &logBook{onWrite: cancel}
			s.want(t, s.rt.FollowLogs(ctx, id, 10, got), "followlogs", runtime.ErrCanceled)
			full := errors.New("no room for it")
			if err := s.rt.FollowLogs(t.Context(), id, 10, &logBook{err: full}); !errors.Is(err, full) {
				t.Errorf("the writer's error does not come back: %v", err)
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

// testFollowLogs: the last lines, then those that come, then the end.
func testFollowLogs(t *testing.T, s *scope) {
	id := noisy(t, s)
	const count = 5
	var want strings.Builder
	for n := app.NoisyLines - count; n < app.NoisyLines; n++ {
		fmt.Fprintf(&want, "line %05d\n", n)
	}
	begun := make(chan struct{}, 1)
	got := &logBook{onWrite: func() {
		select {
		case begun <- struct{}{}:
		default:
		}
	}}
	ended := make(chan error, 1)
	go func() { ended <- s.rt.FollowLogs(t.Context(), id, count, got) }()
	<-begun
	if err := s.rt.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("at the container's end: %v", err)
	}
	if !strings.HasPrefix(got.text.String(), want.String()) {
		t.Errorf("got\n%s\nwant\n%s", &got.text, &want)
	}
	s.remove(t, id)
	s.want(t, s.rt.FollowLogs(t.Context(), id, count, io.Discard), "followlogs", runtime.ErrNotFound)
}

// logBook keeps what is written to it.
type logBook struct {
	text    bytes.Buffer
	onWrite func()
	err     error
}

// Write implements io.Writer.
func (l *logBook) Write(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	l.text.Write(p)
	if l.onWrite != nil && len(p) > 0 {
		l.onWrite()
	}
	return len(p), nil
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
