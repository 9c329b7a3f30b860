// Package web holds Sage's own page and serves it.
//
// The page is built by npm into dist and embedded from there, so that the
// program needs no file beside it and the browser no other host. The package
// promises that every answer carries a strict content policy and fitting cache
// rules. It must not know the API, the session life or any engine: the page
// talks to the public API like every other client.
package web

import (
	"embed"
	"io/fs"
	"net/http"
)

// dist may hold nothing but its .gitkeep: the program then builds and says
// that the page is missing.
//
//go:embed all:dist
var dist embed.FS

// Handler serves the page: the document at / and /desktop/{uid}, and the files
// that it needs. Everything else is 404, and 405 for methods other than GET
// and HEAD. If the page was not built, the document's addresses answer 503.
// It is safe for concurrent use.
func Handler() http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		// Only an invalid path fails, and this one is a constant.
		panic(err)
	}
	return newHandler(built)
}
