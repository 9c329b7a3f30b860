package httpapi

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strings"
	"testing"

	"sage/runtime"
	"sage/session"
	"sage/stream"
)

// sentinels are the kinds of errors of the packages below, by their names.
func sentinels() map[string]error {
	return map[string]error{
		"session.ErrInvalidUID": session.ErrInvalidUID, "session.ErrUnknownApp": session.ErrUnknownApp,
		"session.ErrNoSettings": session.ErrNoSettings, "session.ErrNotRunning": session.ErrNotRunning,
		"session.ErrUnknownStream": session.ErrUnknownStream, "session.ErrUnknownEndpoint": session.ErrUnknownEndpoint,
		"session.ErrPortsExhausted": session.ErrPortsExhausted, "session.ErrStartFailed": session.ErrStartFailed,
		"session.ErrAtCapacity": session.ErrAtCapacity, "session.ErrQueueTimeout": session.ErrQueueTimeout,
		"session.ErrStartTimeout": session.ErrStartTimeout, "session.ErrStopped": session.ErrStopped,
		"session.ErrViewOnly": session.ErrViewOnly, "session.ErrNoPicture": session.ErrNoPicture, "session.ErrTooManyViewers": session.ErrTooManyViewers,
		"session.ErrClosing": session.ErrClosing, "session.ErrStore": session.ErrStore,
		"runtime.ErrNotFound": runtime.ErrNotFound, "runtime.ErrImageNotFound": runtime.ErrImageNotFound,
		"runtime.ErrConflict": runtime.ErrConflict, "runtime.ErrPortInUse": runtime.ErrPortInUse,
		"runtime.ErrInvalid": runtime.ErrInvalid, "runtime.ErrUnavailable": runtime.ErrUnavailable,
		"runtime.ErrExhausted": runtime.ErrExhausted, "runtime.ErrUnsupported": runtime.ErrUnsupported,
		"runtime.ErrRefused": runtime.ErrRefused, "runtime.ErrCanceled": runtime.ErrCanceled,
		"runtime.ErrInternal":       runtime.ErrInternal,
		"stream.ErrUpgradeRequired": stream.ErrUpgradeRequired, "stream.ErrHandshake": stream.ErrHandshake,
		"stream.ErrOrigin": stream.ErrOrigin, "stream.ErrUpstream": stream.ErrUpstream,
		"stream.ErrShuttingDown": stream.ErrShuttingDown,
	}
}

// TestEverySentinelIsKnownHere reads the sources below, so that a new kind of
// error cannot be forgotten.
func TestEverySentinelIsKnownHere(t *testing.T) {
	known := sentinels()
	for _, pkg := range []string{"session", "runtime", "stream"} {
		file := "../" + pkg + "/errors.go"
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, decl := range parsed.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					found++
					if known[pkg+"."+name.Name] == nil {
						t.Errorf("%s.%s has no row in the test's table and may have none in the code's", pkg, name.Name)
					}
				}
			}
		}
		if found == 0 {
			t.Errorf("%s has no kinds of errors", file)
		}
	}
}

func TestEverySentinelHasARow(t *testing.T) {
	for name, err := range sentinels() {
		t.Run(name, func(t *testing.T) {
			rows := 0
			for _, k := range kinds() {
				if errors.Is(err, k.err) {
					rows++
				}
			}
			if rows != 1 {
				t.Fatalf("%d rows", rows)
			}
			p := problemOf(fmt.Errorf("wrapped: %w", err))
			if p.Code == "internal" || p.Status < 400 || p.Title == "" || !strings.Contains(p.Detail, "wrapped") {
				t.Errorf("got %+v", p)
			}
			if (p.retryAfter > 0) != (p.Status == http.StatusServiceUnavailable) {
				t.Errorf("status %d with Retry-After %d", p.Status, p.retryAfter)
			}
		})
	}
}

func TestProblemOf(t *testing.T) {
	engine := func(kind, err error) error { return &runtime.Error{Op: "op", Backend: "fake", Kind: kind, Err: err} }
	failed := func(err error) error {
		return &session.StartError{UID: "a", App: "b", Phase: session.PhaseReady, Err: err}
	}
	tests := []struct {
		name   string
		err    error
		status int
		code   string
		reason bool
	}{
		{"unknown", errors.New("secret"), 500, "internal", false},
		{"caller left", context.Canceled, 499, "canceled", false},
		{"caller's time is over", context.DeadlineExceeded, 504, "timeout", false},
		{"caller left during an engine's call", engine(runtime.ErrCanceled, context.Canceled), 499, "canceled", false},
		{"time was over during an engine's call", engine(runtime.ErrCanceled, context.DeadlineExceeded), 504, "timeout", false},
		{"start failed", failed(nil), 502, "start_failed", true},
		{"start failed with an engine's failure", failed(engine(runtime.ErrInternal, nil)), 502, "start_failed", true},
		{"start took too long", failed(fmt.Errorf("%w: %w", session.ErrStartTimeout, engine(runtime.ErrCanceled, context.DeadlineExceeded))), 504, "start_timeout", true},
		{"ports", failed(&session.PortsError{Start: 1, End: 2}), 503, "ports_exhausted", true},
		{"capacity", &session.CapacityError{Limit: 3, Current: 4}, 503, "at_capacity", false},
		{"queue", failed(session.ErrQueueTimeout), 503, "queue_timeout", true},
		{"image", failed(engine(runtime.ErrImageNotFound, nil)), 404, "image_not_found", true},
		{"engine away", failed(engine(runtime.ErrUnavailable, nil)), 503, "engine_unavailable", true},
		{"settings", failed(fmt.Errorf("%w: disk full", session.ErrStore)), 507, "settings_not_saved", true},
		{"bad uid", &session.UIDError{UID: "x", Problem: "is bad"}, 422, "invalid_uid", false},
		{"desktop cannot be dialled", fmt.Errorf("%w: %w", stream.ErrUpstream, engine(runtime.ErrRefused, nil)), 502, "desktop_unreachable", false},
		{"already a problem", fmt.Errorf("x: %w", newProblem(418, "teapot", "T", "d")), 418, "teapot", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := problemOf(test.err)
			if p.Status != test.status || p.Code != test.code || (p.Reason != nil) != test.reason {
				t.Errorf("got %+v", p.Problem)
			}
			if p.Code == "internal" && strings.Contains(p.Detail, "secret") {
				t.Errorf("the client is told %q", p.Detail)
			}
		})
	}
}

func TestCodesAndStatusesAgree(t *testing.T) {
	seen := map[string]kind{}
	for _, k := range kinds() {
		if before, ok := seen[k.code]; ok && (before.status != k.status || before.title != k.title) {
			t.Errorf("code %s stands for %d %q and %d %q", k.code, before.status, before.title, k.status, k.title)
		}
		seen[k.code] = k
	}
}
