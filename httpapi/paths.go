package httpapi

import (
	"net/http"
	"strings"
)

// underUID is what the calls about a part of one desktop begin with.
const underUID = "/api/vm/{uid}/"

// paths is a mux for the API's calls. In the original's /api/vm/ws/{uid} a word
// stands where other calls have the uid: to one mux alone, "/api/vm/ws/events"
// could mean either, which it refuses. Here the word comes first.
type paths struct {
	// whole has every call but those below a uid, which are parts.
	whole, parts *http.ServeMux
}

func newPaths(otherwise http.HandlerFunc) *paths {
	p := &paths{whole: http.NewServeMux(), parts: http.NewServeMux()}
	p.parts.HandleFunc("/", otherwise)
	p.whole.Handle(underUID+"{part}", p.parts)
	return p
}

// HandleFunc is humago.Mux.
func (p *paths) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	if strings.Contains(pattern, underUID) {
		p.parts.HandleFunc(pattern, handler)
	} else {
		p.whole.HandleFunc(pattern, handler)
	}
}

// ServeHTTP is humago.Mux.
func (p *paths) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.whole.ServeHTTP(w, r) }
