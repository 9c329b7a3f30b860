package httpapi_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sage/catalog"
	"sage/httpapi"
)

const openAPIFile = "openapi.json"

// TestOpenAPIIsCommitted: the committed description is the one that is served. SAGE_UPDATE_DOCS=1 writes it.
func TestOpenAPIIsCommitted(t *testing.T) {
	served := newBench(t).call("GET", "/openapi.json", "")
	if served.status != http.StatusOK || served.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v", served.status, served.header)
	}
	committed, err := os.ReadFile(openAPIFile)
	if err == nil && string(committed) == served.body {
		return
	}
	if os.Getenv("SAGE_UPDATE_DOCS") == "" {
		t.Fatalf("%s is not what the code says: make generate (%v)", openAPIFile, err)
	}
	if err := os.WriteFile(openAPIFile, []byte(served.body), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestExamples makes every call of the documentation as it stands there. What comes back has the documented status and
// fits the documented schema, and so does the documented answer, which has the same fields.
func TestExamples(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) {
		o.CatalogStatus = func() catalog.Status { return catalog.Status{Generation: 1, LoadedAt: time.Now()} }
	}, func(o *httpapi.Options) {
		app := &o.Catalog().Apps[0]
		app.ID, app.Title, app.Aliases = "firefox", "Firefox", nil
		app.Variables = []catalog.Variable{{Name: "SAGE_GEOMETRY", Title: "Screen size", Type: catalog.String, MaxLength: 32}}
	})
	doc := b.call("GET", "/openapi.json", "").body
	for _, e := range httpapi.Examples() {
		t.Run(e.Method+" "+e.Route, func(t *testing.T) {
			path, query := e.Route, url.Values{}
			for name, value := range e.Params {
				if filled := strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value)); filled != path {
					path = filled
				} else {
					query.Set(name, value)
				}
			}
			if len(query) > 0 {
				path += "?" + query.Encode()
			}
			body := ""
			if e.Body != nil {
				body = encode(t, e.Body)
			}
			a := b.call(e.Method, path, body, "Content-Type: application/json")
			if a.status != e.Status {
				t.Fatalf("status %d, the example says %d: %s", a.status, e.Status, a.body)
			}
			if e.Answer == nil {
				if a.body != "" {
					t.Errorf("answer %q", a.body)
				}
				return
			}
			at := "#/paths/" + pointer(e.Route) + "/" + strings.ToLower(e.Method) + "/responses/" + strconv.Itoa(e.Status) + "/content/application~1json/schema"
			schema := compile(t, doc, at)
			live, shown := parseJSON(t, a.body), parseJSON(t, encode(t, e.Answer))
			if err := schema.Validate(live); err != nil {
				t.Errorf("the answer does not fit the schema: %v\n%s", err, a.body)
			}
			if err := schema.Validate(shown); err != nil {
				t.Errorf("the example does not fit the schema: %v", err)
			}
			if got, want := fields(live), fields(shown); !slices.Equal(got, want) {
				t.Errorf("the answer has %v, the example %v", got, want)
			}
		})
	}
}

// TestEveryAnswerIsDescribed: a call without a documented success would be one that nobody can use.
func TestEveryAnswerIsDescribed(t *testing.T) {
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary   string
			Tags      []string
			Security  []map[string]any
			Responses map[string]any
		}
	}
	if err := json.Unmarshal([]byte(newBench(t).call("GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) < 8 {
		t.Fatalf("OpenAPI %q with %d paths", doc.OpenAPI, len(doc.Paths))
	}
	for path, calls := range doc.Paths {
		for method, call := range calls {
			success := slices.ContainsFunc(slices.Collect(maps.Keys(call.Responses)), func(s string) bool { return s < "300" })
			if call.Summary == "" || len(call.Tags) != 1 || call.Responses["default"] == nil || !success {
				t.Errorf("%s %s is not described: %+v", method, path, call)
			}
			if strings.HasPrefix(path, "/api/") != (len(call.Security) > 0) {
				t.Errorf("%s %s: security %v", method, path, call.Security)
			}
		}
	}
}

// TestReader: the page for people needs nothing but its own style sheet, and has every call and every example.
func TestReader(t *testing.T) {
	b := newBench(t, func(o *httpapi.Options) { o.Token = "sesame" })
	a := b.call("GET", "/docs", "")
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", a.status, a.header)
	}
	policy := a.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for _, refused := range []string{"<script", "style=", "http://", "https://", "onclick"} {
		if strings.Contains(a.body, refused) {
			t.Errorf("the page has %q", refused)
		}
	}
	for _, match := range regexp.MustCompile(`(?:href|src)="([^"#]+)"`).FindAllStringSubmatch(a.body, -1) {
		if got := b.call("GET", "/"+match[1], ""); got.status != http.StatusOK || strings.HasSuffix(match[1], ".css") && !strings.HasPrefix(got.header.Get("Content-Type"), "text/css") {
			t.Errorf("%s: %d %v", match[1], got.status, got.header)
		}
	}
	ids := map[string]bool{}
	for _, match := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(a.body, -1) {
		ids[match[1]] = true
	}
	for _, match := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(a.body, -1) {
		if !ids[match[1]] {
			t.Errorf("#%s leads nowhere", match[1])
		}
	}
	for _, e := range httpapi.Examples() {
		if !strings.Contains(a.body, "<code>"+e.Route+"</code>") {
			t.Errorf("the page lacks %s", e.Route)
		}
	}
	if !strings.Contains(a.body, "1600x900") {
		t.Error("the page has no examples")
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parseJSON(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// compile finds the schema at a place in the description, as it stands there.
func compile(t *testing.T, doc, at string) *jsonschema.Schema {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(doc)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", v); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("openapi.json" + at)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// pointer escapes a step of a JSON pointer in a fragment (RFC 6901).
func pointer(step string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
}

// fields are the names in an object, or nothing.
func fields(v any) []string {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{reflect.TypeOf(v).String()}
	}
	return slices.Sorted(maps.Keys(object))
}
