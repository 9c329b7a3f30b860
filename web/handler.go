package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

const (
	// A hashed name never changes its content.
	cacheForever = "public, max-age=31536000, immutable"
	cacheChecked = "no-cache"
)

// contentPolicy lets the page load and call nothing but its own origin. 'self'
// in connect-src covers the WebSockets of that origin too (CSP level 3). Icons
// of the catalog are data: addresses, and noVNC draws cursors as such. Pictures
// and sound of desktops are blob: addresses.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"

// The document names its files relative to its <base>, so that the page also
// works below a path of a proxy that Sage knows nothing about.
const (
	baseHere = `<base href="./">`
	baseUp   = `<base href="../">`
)

// The addresses of the page's views, without and with a step before the last.
func addressesHere() []string { return []string{"GET /{$}", "GET /desktops"} }
func addressesUp() []string {
	return []string{"GET /desktops/all", "GET /desktop/{uid}", "GET /view/{token}"}
}

// newHandler serves the built page found in files.
func newHandler(files fs.FS) http.Handler {
	mux := http.NewServeMux()
	here, up := http.HandlerFunc(notBuilt), http.HandlerFunc(notBuilt)
	index, err := fs.ReadFile(files, "index.html")
	if err == nil {
		here = newFile("index.html", index, cacheChecked).serve
		up = newFile("index.html", bytes.Replace(index, []byte(baseHere), []byte(baseUp), 1), cacheChecked).serve
	}
	for _, address := range addressesHere() {
		mux.Handle(address, here)
	}
	for _, address := range addressesUp() {
		mux.Handle(address, up)
	}
	mux.Handle("GET /", assets(files, notFound(index)))
	return secured(mux)
}

// notFound says that there is no such page: to a browser with the page itself,
// which looks for its files that many steps above.
func notFound(index []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(index) == 0 || !strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.NotFound(w, r)
			return
		}
		steps := strings.Count(r.URL.EscapedPath(), "/") - 1
		base := `<base href="./` + strings.Repeat("../", steps) + `">`
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", contentType("index.html"))
		w.WriteHeader(http.StatusNotFound)
		// The client may be gone; there is nobody else to tell.
		_, _ = w.Write(bytes.Replace(index, []byte(baseHere), []byte(base), 1))
	}
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

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "the page is not built: run make web", http.StatusServiceUnavailable)
}

// assets serves the built files but the document: no directory lists and
// nothing hidden. They are read once.
func assets(files fs.FS, missing http.Handler) http.Handler {
	known := map[string]*file{}
	// Only an unreadable file fails, and these are in the program.
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") || name == "index.html" || encodingOf(name) != "" {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		cache := cacheChecked
		if strings.HasPrefix(name, "assets/") {
			cache = cacheForever
		}
		known[name] = newFile(name, content, cache)
		for _, e := range encodings() {
			if compressed, err := fs.ReadFile(files, name+e.suffix); err == nil {
				known[name].compress(e.name, compressed)
			}
		}
		return nil
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := known[strings.TrimPrefix(path.Clean(r.URL.Path), "/")]
		if !ok {
			missing.ServeHTTP(w, r)
			return
		}
		f.serve(w, r)
	})
}
