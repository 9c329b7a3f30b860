package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"path"
	"strconv"
	"time"
)

// file is one file of the page with its compressed forms.
type file struct {
	contentType, cache string
	plain              form
	// compressed has the best form first.
	compressed []form
}

// form is a file's content in one encoding; "" is as it is.
type form struct {
	encoding, etag string
	content        []byte
}

// newForm names the content by its hash, so that an unchanged file is not sent
// again (RFC 9110, section 8.8.3). Every encoding is a form of its own.
func newForm(encoding string, content []byte) form {
	sum := sha256.Sum256(content)
	return form{encoding: encoding, etag: strconv.Quote(base64.RawURLEncoding.EncodeToString(sum[:12])), content: content}
}

func newFile(name string, content []byte, cache string) *file {
	return &file{contentType: contentType(name), cache: cache, plain: newForm("", content)}
}

func (f *file) compress(encoding string, content []byte) {
	f.compressed = append(f.compressed, newForm(encoding, content))
}

// serve answers with the best form that the client takes.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	best := f.plain
	for _, c := range f.compressed {
		if accepts(r.Header.Get("Accept-Encoding"), c.encoding) {
			best = c
			break
		}
	}
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", f.cache)
	header.Set("ETag", best.etag)
	if len(f.compressed) > 0 {
		header.Set("Vary", "Accept-Encoding")
	}
	if best.encoding != "" {
		header.Set("Content-Encoding", best.encoding)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(best.content))
}

// contentType is told by the name; the system's own table has no say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".md":
		return "text/markdown; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
