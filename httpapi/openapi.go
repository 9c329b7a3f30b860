package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sage/httpapi/api"
)

// The groups of calls in the documentation.
const (
	tagDesktops = "Desktops"
	tagStreams  = "Streams"
	tagCatalog  = "Catalog"
	tagHealth   = "Health"
)

// complete adds to what huma made of the registered calls what it cannot know:
// how errors look, which calls need the token, streams, and examples.
func complete(doc *huma.OpenAPI) {
	doc.Info.Description = "Desktop applications in the browser, on demand. Every refusal is a problem document (RFC 9457) whose " +
		"`code` is stable. Calls below /api/ need the bearer token where this Sage has one."
	doc.Tags = []*huma.Tag{
		{Name: tagDesktops, Description: "Desktops by uid."}, {Name: tagStreams, Description: "The way to the pixels."},
		{Name: tagCatalog, Description: "What can be started."}, {Name: tagHealth, Description: "How this Sage is."},
	}
	schemas := doc.Components.Schemas
	problems := &huma.Response{Description: "A problem document", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[api.Problem](), true, "Problem")},
	}}
	// Huma's own form of errors never leaves this server; see humaProblem.
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "The token of SAGE_API_TOKEN, where one is set."},
	}
	addStreams(doc)
	for path, item := range doc.Paths {
		for _, op := range operations(item) {
			op.Responses["default"] = problems
			op.Tags = []string{tagOf(path)}
			if strings.HasPrefix(path, apiPrefix) {
				op.Security = []map[string][]string{{"token": {}}, {}} // The empty one: there may be no token.
			}
		}
	}
	for _, e := range Examples() {
		e.show(operation(doc, e.Method, e.Route))
	}
}

// addStreams describes what huma does not serve.
func addStreams(doc *huma.OpenAPI) {
	text := &huma.Schema{Type: huma.TypeString}
	doc.Paths["/stream/{token}/{endpoint}"] = &huma.PathItem{Get: &huma.Operation{
		OperationID: "open-stream", Summary: "Open a stream to an endpoint of a desktop",
		Description: "A WebSocket upgrade. The address without an endpoint means vnc. Its unguessable token is the right to use it; no other is asked for.",
		Parameters: []*huma.Param{
			{Name: "token", In: "path", Required: true, Schema: text, Description: "From the url that a start answers."},
			{Name: "endpoint", In: "path", Required: true, Schema: text, Description: "The name of an endpoint, such as vnc."},
		},
		Responses: map[string]*huma.Response{strconv.Itoa(http.StatusSwitchingProtocols): {Description: "The stream is open"}},
	}}
}

func tagOf(path string) string {
	switch {
	case strings.HasPrefix(path, "/api/catalog"):
		return tagCatalog
	case strings.HasPrefix(path, "/stream/"):
		return tagStreams
	case strings.HasPrefix(path, apiPrefix):
		return tagDesktops
	default:
		return tagHealth
	}
}

// operations are the calls of one path by their methods.
func operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}

func operation(doc *huma.OpenAPI, method, route string) *huma.Operation {
	return operations(doc.Paths[route])[method]
}

// Example is a call as the documentation shows it. A test makes it.
type Example struct {
	Method string
	// Route is the path of the call with its parameters in braces; Params are
	// theirs and the query's.
	Route  string
	Params map[string]string
	// Body is what is sent, nil for nothing.
	Body any
	// Status and Answer are what comes back.
	Status int
	Answer any
}

// show puts an example where documentation has it.
func (e Example) show(op *huma.Operation) {
	for _, p := range op.Parameters {
		if v, ok := e.Params[p.Name]; ok {
			p.Example = v
		}
	}
	if e.Body != nil {
		op.RequestBody.Content["application/json"].Example = e.Body
	}
	if e.Answer != nil {
		op.Responses[strconv.Itoa(e.Status)].Content["application/json"].Example = e.Answer
	}
}

// serveDocument serves the description of the API, which is made once.
func serveDocument(mux *http.ServeMux, doc *huma.OpenAPI) {
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(err) // It is made of constants.
	}
	text = append(text, '\n')
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // The client may be gone; there is nobody else to tell.
	})
	serveReader(mux, doc)
}
