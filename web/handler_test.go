package web

import (
	"bytes"
	"io/fs"
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

		"assets/main-12.js.br": {Data: []byte(`brotli`)},
		"assets/main-12.js.gz": {Data: []byte(`gzip`)},
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
		{"my desktops", "GET", "/desktops", 200, "no-cache", `<base href="./">`},
		{"all desktops", "GET", "/desktops/all", 200, "no-cache", `<base href="../">`},
		{"shared view", "GET", "/view/k5x3qj2m7v", 200, "no-cache", `<base href="../">`},
		{"head", "HEAD", "/", 200, "no-cache", ""},
		{"asset", "GET", "/assets/main-12.js", 200, "public, max-age=31536000, immutable", "export {}"},
		{"icon", "GET", "/icon.svg", 200, "no-cache", "<svg/>"},
		{"desktop without uid", "GET", "/desktop/", 404, "", ""},
		{"deeper than a desktop", "GET", "/desktop/a/b", 404, "", ""},
		{"view without token", "GET", "/view/", 404, "", ""},
		{"compressed form by name", "GET", "/assets/main-12.js.br", 404, "", ""},
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

func TestHandlerShowsBrowsersThatThereIsNoPage(t *testing.T) {
	handler := newHandler(built())
	for path, base := range map[string]string{
		"/nowhere":       `<base href="./">`,
		"/nowhere/":      `<base href="./../">`,
		"/nowhere/at%2F": `<base href="./../">`,
		"/a/b/c":         `<base href="./../../">`,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), base) {
			t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
		}
	}
}

func TestHandlerWithoutBuiltPage(t *testing.T) {
	handler := newHandler(fstest.MapFS{".gitkeep": {}})
	for _, path := range []string{"/", "/desktop/a", "/desktops", "/view/t"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "run make web") {
			t.Errorf("%s: %d %q, want 503 with the way out", path, w.Code, w.Body)
		}
	}
}

func TestHandlerSendsTheBestForm(t *testing.T) {
	handler := newHandler(built())
	etags := map[string]bool{}
	for _, tt := range []struct{ accept, encoding, body string }{
		{"", "", "export {}"},
		{"identity", "", "export {}"},
		{"deflate, zstd", "", "export {}"},
		{"gzip", "gzip", "gzip"},
		{"gzip, deflate, br", "br", "brotli"},
		{"BR;q=0.5,gzip", "br", "brotli"},
		{"br;q=0, gzip; q=0.8", "gzip", "gzip"},
		{"brotli", "", "export {}"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/assets/main-12.js", nil)
		r.Header.Set("Accept-Encoding", tt.accept)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		header := w.Header()
		if header.Get("Content-Encoding") != tt.encoding || w.Body.String() != tt.body {
			t.Errorf("accept %q: got %q in encoding %q", tt.accept, w.Body, header.Get("Content-Encoding"))
		}
		if header.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(header.Get("Content-Type"), "text/javascript") {
			t.Errorf("accept %q: headers %v", tt.accept, header)
		}
		etags[header.Get("ETag")] = true
	}
	if len(etags) != 3 || etags[""] {
		t.Errorf("etags %v, want one for each form", etags)
	}
}

func TestHandlerSendsNothingTwice(t *testing.T) {
	handler := newHandler(built())
	for _, path := range []string{"/", "/desktop/a", "/icon.svg", "/assets/main-12.js"} {
		get := func(etag string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			r.Header.Set("If-None-Match", etag)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w
		}
		etag := get(`"another"`).Header().Get("ETag")
		if etag == "" {
			t.Errorf("%s: no etag", path)
		}
		if w := get(etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: asked again it is sent again: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

// TestBuiltPage checks the page that is embedded, when it was built: what a
// first visit loads stays small.
func TestBuiltPage(t *testing.T) {
	const budget = 300 << 10 // Bytes, compressed.
	page, err := fs.Sub(dist, "dist")
	if err != nil {
		t.Fatal(err)
	}
	index, err := fs.ReadFile(page, "index.html")
	if err != nil {
		t.Skip("the page is not built: run make web")
	}
	if bytes.Count(index, []byte(baseHere)) != 1 {
		t.Errorf("the document lacks %s", baseHere)
	}
	if bytes.Contains(index, []byte("<style")) || bytes.Contains(index, []byte("<script>")) || bytes.Contains(index, []byte("://")) {
		t.Errorf("the document has what its policy forbids: %s", index)
	}
	total := len(index)
	handler := newHandler(page)
	err = fs.WalkDir(page, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || encodingOf(name) != "" {
			return err
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/"+name, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: status %d, encoding %q", name, w.Code, w.Header().Get("Content-Encoding"))
		}
		total += w.Body.Len()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the whole page has %d bytes with gzip", total)
	if total > budget {
		t.Errorf("the whole page has %d bytes with gzip, more than %d", total, budget)
	}
}
