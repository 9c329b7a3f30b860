package catalog

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"sage/docs"
)

// TestReference: the page for curators has every field of the types, with what the schema says of it.
func TestReference(t *testing.T) {
	s := makeSchema(t)
	var b strings.Builder
	place := map[string]string{}
	for _, part := range parts(s) {
		fmt.Fprintf(&b, "### %s\n\n", part.title)
		if d := part.schema.Description; d != "" {
			fmt.Fprintf(&b, "%s\n\n", cell(d))
		}
		b.WriteString("| key | value | default | meaning |\n| --- | --- | --- | --- |\n")
		meaning := ""
		for p := part.schema.Properties.Oldest(); p != nil; p = p.Next() {
			// One comment may stand for two fields.
			if p.Value.Description != "" {
				meaning = inKeys(part.typ, p.Value.Description)
			}
			required := ""
			if slices.Contains(part.schema.Required, p.Key) {
				required = "**required.** "
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s%s |\n", p.Key, value(p.Value), byDefault(p.Value), required, cell(meaning))
			place[part.title+"."+p.Key] = p.Key
		}
		b.WriteString("\n")
	}
	docs.Made(t, "../docs/curators.md", "catalog", strings.TrimSuffix(b.String(), "\n"))
	// What the schema leaves out nobody would miss here.
	count := 0
	for _, typ := range types() {
		for _, f := range reflect.VisibleFields(typ) {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
				count++
			}
		}
	}
	if len(place) != count {
		t.Errorf("the page has %d keys, the types have %d", len(place), count)
	}
}

// part is one mapping of the catalog.
type part struct {
	title  string
	typ    reflect.Type
	schema *jsonschema.Schema
}

// parts are the mappings in the order in which one meets them.
func parts(s *jsonschema.Schema) []part {
	out := []part{{"The file", types()[0], s}}
	for _, typ := range types()[1:] {
		out = append(out, part{typ.Name(), typ, s.Definitions[typ.Name()]})
	}
	return out
}

// inKeys puts keys for the names of fields with which a comment begins.
func inKeys(typ reflect.Type, comment string) string {
	key := func(name string) string {
		f, ok := typ.FieldByName(name)
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); ok && key != "" {
			return "`" + key + "`"
		}
		return name
	}
	first, rest, _ := strings.Cut(comment, " ")
	if second, more, ok := strings.Cut(strings.TrimPrefix(rest, "and "), " "); ok && strings.HasPrefix(rest, "and ") {
		rest = "and " + key(second) + " " + more
	}
	return key(first) + " " + rest
}

// value says what may be written.
func value(s *jsonschema.Schema) string {
	switch {
	case s.Ref != "":
		name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	case len(s.Enum) > 0:
		var words []string
		for _, v := range s.Enum {
			words = append(words, fmt.Sprintf("`%v`", v))
		}
		return "one of " + strings.Join(words, ", ")
	case s.Const != nil:
		return fmt.Sprintf("always `%v`", s.Const)
	case s.Items != nil:
		return "list of " + plural(value(s.Items))
	case s.AdditionalProperties != nil && s.Type == "object":
		return "mapping of names to texts"
	case len(s.OneOf) == 2:
		return "size such as `512m` or `2g`"
	case len(s.OneOf) > 2:
		return "text, number or boolean"
	case s.Type == "string" && strings.Contains(s.Pattern, "ns|us"):
		return "time such as `90s` or `2h`"
	}
	return s.Type + bounds(s)
}

func plural(text string) string {
	if text == "string" {
		return "strings"
	}
	return text
}

func bounds(s *jsonschema.Schema) string {
	var out []string
	for _, b := range []struct {
		words string
		value json.Number
	}{{"from", s.Minimum}, {"above", s.ExclusiveMinimum}, {"to", s.Maximum}} {
		if b.value != "" {
			out = append(out, b.words+" "+b.value.String())
		}
	}
	if s.MaxLength != nil {
		out = append(out, fmt.Sprintf("up to %d characters", *s.MaxLength))
	}
	if len(out) == 0 {
		return ""
	}
	return ", " + strings.Join(out, " ")
}

func byDefault(s *jsonschema.Schema) string {
	if s.Default == nil {
		return ""
	}
	return fmt.Sprintf("`%v`", s.Default)
}

// cell keeps a text from ending a table's cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// TestCatalogsInPages: a catalog that stands on a page is one.
func TestCatalogsInPages(t *testing.T) {
	page, err := os.ReadFile("../docs/curators.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) == 0 {
		t.Error("there is none")
	}
	for _, m := range found {
		file := filepath.Join(t.TempDir(), "catalog.yaml")
		if err := os.WriteFile(file, []byte(m[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err != nil {
			t.Error(err)
		}
	}
}
