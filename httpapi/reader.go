package httpapi

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// readerPolicy lets the page load its style sheet and nothing else: it has no
// script.
const readerPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

//go:embed docs
var readerFiles embed.FS

// chapter is one group of calls, as the page shows it.
type chapter struct {
	Name, Description string
	Calls             []entry
}

// entry is one call.
type entry struct {
	Method, Path string
	*huma.Operation
}

// serveReader serves the API's description as a page for people, which is made
// once.
func serveReader(mux *http.ServeMux, doc *huma.OpenAPI) {
	page := template.Must(template.New("page.html").Funcs(template.FuncMap{
		"json": indented, "type": typeOf, "anchor": anchor,
		"sorted": func(m map[string]*huma.Response) []string { return slices.Sorted(maps.Keys(m)) },
		"fields": func(s *huma.Schema) []string { return slices.Sorted(maps.Keys(s.Properties)) },
		"needs":  func(s *huma.Schema, field string) bool { return slices.Contains(s.Required, field) },
	}).ParseFS(readerFiles, "docs/page.html"))
	var text bytes.Buffer
	if err := page.Execute(&text, map[string]any{"Doc": doc, "Chapters": chapters(doc), "Schemas": schemas(doc)}); err != nil {
		panic(err) // It is made of constants.
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", readerPolicy)
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(text.Bytes()) // The client may be gone; there is nobody else to tell.
	})
	mux.HandleFunc("GET /docs/style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, readerFiles, "docs/style.css")
	})
}

// chapters sorts the calls by group, then by path and method.
func chapters(doc *huma.OpenAPI) []chapter {
	var all []chapter
	for _, tag := range doc.Tags {
		c := chapter{Name: tag.Name, Description: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			ops := operations(doc.Paths[path])
			for _, method := range slices.Sorted(maps.Keys(ops)) {
				if slices.Contains(ops[method].Tags, tag.Name) {
					c.Calls = append(c.Calls, entry{method, path, ops[method]})
				}
			}
		}
		all = append(all, c)
	}
	return all
}

// namedSchema is one type of the API's bodies.
type namedSchema struct {
	Name string
	*huma.Schema
}

func schemas(doc *huma.OpenAPI) []namedSchema {
	var all []namedSchema
	byName := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, namedSchema{name, byName[name]})
	}
	return all
}

// indented is a value as JSON that a person can read.
func indented(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text), err
}

// reference is the name of a schema and what surrounds it, for a link.
type reference struct{ Before, Name, After string }

// typeOf says what a schema is: a link to a named one, or a plain type.
func typeOf(s *huma.Schema) reference {
	switch {
	case s == nil:
		return reference{}
	case s.Ref != "":
		return reference{Name: s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]}
	case s.Items != nil:
		item := typeOf(s.Items)
		return reference{"list of " + item.Before, item.Name, item.After}
	case s.Format != "" && s.Type == huma.TypeString:
		return reference{Before: s.Format}
	default:
		return reference{Before: s.Type}
	}
}

// anchor is a fragment that leads to a call.
func anchor(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}
