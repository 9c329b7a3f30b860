package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		".gitkeep":          {},
		"index.html":        {Data: []byte(`<html><base href="./"><title>Sage</title></html>`)},
		"icon.svg":          {Data: []byte(`<svg/>`)},
		"assets/main-12.js": {Data: []byte(`export {}`)},
	}
}

func TestHandler(t *testing.T) {
	tests := []struct {
		name, method, path string
		status             int
		cache, body        string
	}{
		{"launcher", "GET", "/", 200, "no-cache", `<base href="./">`},
		{"desktop", "GET", "/desktop/alice-2f9c", 200, "no-cache", `<base href="../">`},
		{"desktop with an escaped uid", "GET", "/desktop/a%2Fb", 200, "no-cache", `<base href="../">`},
		{"head", "HEAD", "/", 200, "no-cache", ""},
		{"asset", "GET", "/assets/main-12.js", 200, "public, max-age=31536000, immutable", "export {}"},
		{"icon", "GET", "/icon.svg", 200, "no-cache", "<svg/>"},
		{"desktop without uid", "GET", "/desktop/", 404, "", ""},
		{"deeper than a desktop", "GET", "/desktop/a/b", 404, "", ""},
		{"missing asset", "GET", "/assets/gone.js", 404, "", ""},
		{"directory", "GET", "/assets", 404, "", ""},
		{"hidden file", "GET", "/.gitkeep", 404, "", ""},
		{"index by name", "GET", "/index.html", 404, "", ""},
		{"other method", "POST", "/", 405, "", ""},
	}
	handler := newHandler(built())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil))
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			if got := w.Header().Get("Cache-Control"); got != tt.cache {
				t.Errorf("Cache-Control %q, want %q", got, tt.cache)
			}
			if !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("body %q lacks %q", w.Body, tt.body)
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
				t.Errorf("content policy %q is not strict", policy)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options %q", got)
			}
		})
	}
}

func TestHandlerTellsContentTypes(t *testing.T) {
	handler := newHandler(built())
	for path, want := range map[string]string{
		"/":                  "text/html",
		"/assets/main-12.js": "text/javascript",
		"/icon.svg":          "image/svg+xml",
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: content type %q, want %q", path, got, want)
		}
	}
}

func TestHandlerWithoutBuiltPage(t *testing.T) {
	handler := newHandler(fstest.MapFS{".gitkeep": {}})
	for _, path := range []string{"/", "/desktop/a"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "run make web") {
			t.Errorf("%s: %d %q, want 503 with the way out", path, w.Code, w.Body)
		}
	}
}
