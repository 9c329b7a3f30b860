package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sage/docs"
)

const apiPage = "../docs/api.md"

// TestExamplesPage: the page for the API's users has the examples, which TestExamples makes, as commands.
func TestExamplesPage(t *testing.T) {
	var b strings.Builder
	for _, e := range Examples() {
		path, query := e.Route, ""
		for _, name := range slices.Sorted(maps.Keys(e.Params)) {
			if filled := strings.ReplaceAll(path, "{"+name+"}", e.Params[name]); filled != path {
				path = filled
			} else {
				query += "&" + name + "=" + e.Params[name]
			}
		}
		if query != "" {
			path += "?" + query[1:]
		}
		fmt.Fprintf(&b, "    $ curl")
		if e.Method != http.MethodGet {
			fmt.Fprintf(&b, " -X %s", e.Method)
		}
		if strings.HasPrefix(path, apiPrefix) {
			b.WriteString(` -H "Authorization: Bearer $SAGE_API_TOKEN"`)
		}
		if e.Body != nil {
			fmt.Fprintf(&b, " -H 'Content-Type: application/json' -d '%s'", text(t, e.Body, ""))
		}
		fmt.Fprintf(&b, " \"$SAGE_URL%s\"\n", path)
		if e.Answer != nil {
			fmt.Fprintf(&b, "    %s\n", text(t, e.Answer, "    "))
		}
		b.WriteString("\n")
	}
	docs.Made(t, apiPage, "examples", strings.TrimSuffix(b.String(), "\n"))
}

func text(t *testing.T, v any, indent string) string {
	t.Helper()
	var out []byte
	var err error
	if indent == "" {
		out, err = json.Marshal(v)
	} else {
		out, err = json.MarshalIndent(v, indent, "  ")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestCodesPage: the page has every code that a problem document may have.
func TestCodesPage(t *testing.T) {
	rows := map[string]string{}
	note := func(status int, code, title string, retryAfter int) {
		wait := ""
		if retryAfter > 0 {
			wait = fmt.Sprintf("%d s", retryAfter)
		}
		rows[code] = fmt.Sprintf("| `%s` | %d | %s | %s |\n", code, status, title, wait)
	}
	for _, k := range kinds() {
		note(k.status, k.code, k.title, k.retryAfter)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`newProblem\(http\.Status(\w+), "(\w+)", "([^"]+)"`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(source), -1) {
			note(statusNamed(t, m[1]), m[2], m[3], 0)
		}
	}
	b := "| code | status | meaning | wait |\n| --- | --- | --- | --- |\n"
	for _, code := range slices.Sorted(maps.Keys(rows)) {
		b += rows[code]
	}
	docs.Made(t, apiPage, "codes", b)
}

// statusNamed is the status of a constant of net/http.
func statusNamed(t *testing.T, name string) int {
	t.Helper()
	for status := 400; status < 600; status++ {
		if strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status)) == name {
			return status
		}
	}
	t.Fatalf("http.Status%s is not known", name)
	return 0
}
