package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

const (
	// A hashed name never changes its content.
	cacheForever = "public, max-age=31536000, immutable"
	cacheChecked = "no-cache"
)

// contentPolicy lets the page load and call nothing but its own origin. 'self'
// in connect-src covers the WebSockets of that origin too (CSP level 3). Icons
// of the catalog are data: addresses, and noVNC draws cursors as such.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"

// The document names its files relative to its <base>, so that the page also
// works below a path of a proxy that Sage knows nothing about.
const (
	baseHere = `<base href="./">`
	baseUp   = `<base href="../">`
)

// newHandler serves the built page found in files.
func newHandler(files fs.FS) http.Handler {
	mux := http.NewServeMux()
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		mux.HandleFunc("GET /{$}", notBuilt)
		mux.HandleFunc("GET /desktop/{uid}", notBuilt)
	} else {
		mux.Handle("GET /{$}", document(index))
		mux.Handle("GET /desktop/{uid}", document(bytes.Replace(index, []byte(baseHere), []byte(baseUp), 1)))
	}
	mux.Handle("GET /", assets(files))
	return secured(mux)
}

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func document(content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", cacheChecked)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(content))
	})
}

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "the page is not built: run make web", http.StatusServiceUnavailable)
}

// assets serves plain files only: no directory lists and nothing hidden.
func assets(files fs.FS) http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		info, err := fs.Stat(files, name)
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(path.Base(name), ".") || name == "index.html" {
			http.NotFound(w, r)
			return
		}
		if strings.HasPrefix(name, "assets/") {
			w.Header().Set("Cache-Control", cacheForever)
		} else {
			w.Header().Set("Cache-Control", cacheChecked)
		}
		server.ServeHTTP(w, r)
	})
}
