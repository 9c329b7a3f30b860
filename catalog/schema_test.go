package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-playground/validator/v10"
	"github.com/invopop/jsonschema"
)

const schemaFile = "catalog.schema.json"

// TestSchemaIsThatOfTheTypes: the committed schema is what the types, their rules, defaults and comments say.
// SAGE_UPDATE_DOCS=1 writes it.
func TestSchemaIsThatOfTheTypes(t *testing.T) {
	want, err := json.MarshalIndent(makeSchema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if bytes.Equal(want, Schema()) {
		return
	}
	if os.Getenv("SAGE_UPDATE_DOCS") == "" {
		t.Fatalf("%s is not what the types say: make generate", schemaFile)
	}
	if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// makeSchema reflects the types, and adds what their rules say.
func makeSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	r := &jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[Size]():
				return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
					{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)? ?([kKmMgGtTpP][iI]?)?[bB]?$`},
					{Type: "integer", Minimum: "0"},
				}}
			case reflect.TypeFor[Duration]():
				return &jsonschema.Schema{Type: "string", Pattern: `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`}
			}
			return nil
		},
	}
	if err := r.AddGoComments("sage/catalog", "./"); err != nil {
		t.Fatal(err)
	}
	for name, text := range r.CommentMap {
		r.CommentMap[name] = plain(text)
	}
	s := r.Reflect(&Catalog{})
	s.Title = "Sage catalog"
	refineStruct(s, reflect.TypeFor[Catalog]())
	for _, typ := range types()[1:] {
		refineStruct(s.Definitions[typ.Name()], typ)
	}
	return s
}

// types are those of a catalog file, the whole one first.
func types() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[Catalog](), reflect.TypeFor[App](), reflect.TypeFor[Build](), reflect.TypeFor[Endpoint](), reflect.TypeFor[Variable](),
		reflect.TypeFor[Limits](), reflect.TypeFor[Viewing](), reflect.TypeFor[Home](), reflect.TypeFor[Tmpfs](), reflect.TypeFor[Timeouts](),
	}
}

// plain makes one line of a comment, without what only leads to other Go names.
func plain(comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = regexp.MustCompile(`; see \[[^\]]*\]`).ReplaceAllString(text, "")
	return regexp.MustCompile(`\[([^\]]*)\]`).ReplaceAllString(text, "$1")
}

// refineStruct adds to a struct's schema which keys are required, and what defaults and rules say of each.
func refineStruct(s *jsonschema.Schema, typ reflect.Type) {
	empty := newValue(typ)
	missing := map[string]bool{}
	var found validator.ValidationErrors
	if errors.As(newValidator().Struct(empty.Interface()), &found) {
		for _, fe := range found {
			missing[fe.Field()] = true
		}
	}
	for _, f := range reflect.VisibleFields(typ) {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		p, ok := s.Properties.Get(name)
		if !ok {
			panic(name)
		}
		if missing[name] {
			s.Required = append(s.Required, name)
		}
		if option == "scalar" {
			loosen(p)
		}
		refineValue(p, f.Type, f.Tag.Get("validate"))
		switch v := empty.Elem().FieldByIndex(f.Index); {
		case v.IsZero():
		case v.Type() == reflect.TypeFor[Size]():
			p.Default = v.Interface().(Size).String()
		case v.Kind() != reflect.Slice && v.Kind() != reflect.Struct:
			p.Default = v.Interface()
		}
	}
}

// loosen lets texts be written as bare numbers and booleans.
func loosen(s *jsonschema.Schema) {
	if s.Items != nil {
		s = s.Items
	}
	s.Type, s.OneOf = "", []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}
}

// refineValue adds what the validator's tags say of a value.
func refineValue(s *jsonschema.Schema, typ reflect.Type, tag string) {
	rules := strings.Split(tag, ",")
	for i := 0; i < len(rules); i++ {
		rule, param, _ := strings.Cut(rules[i], "=")
		switch rule {
		case "dive":
			refineElements(s, typ, rules[i+1:])
			return
		case "required":
			s.MinLength = ptr(1)
		case "max":
			if typ.Kind() == reflect.Slice {
				s.MaxItems = ptr(number(param))
			} else {
				s.MaxLength = ptr(number(param))
			}
		case "min":
			s.MinItems = ptr(number(param))
		case "gt":
			s.ExclusiveMinimum = json.Number(param)
		case "gte":
			s.Minimum = json.Number(param)
		case "lte":
			s.Maximum = json.Number(param)
		case "atleast":
			s.Description += " At least " + param + "."
		case "atmost":
			s.Description += " At most " + param + "."
		case "oneof":
			for _, v := range strings.Fields(param) {
				s.Enum = append(s.Enum, v)
			}
		case "version":
			s.Const = 1
		case "port":
			s.Minimum, s.Maximum = "1", "65535"
		case "mountpoint":
			s.Pattern = "^/[^:,]+$"
		case "imageref":
			s.Pattern = "^(localhost|[^/]*[.:][^/]*)/.+$"
		case "printable", "envvalue":
			s.Pattern = `^[^\x00-\x1f\x7f-\x9f]*$`
		default:
			if pattern, ok := patterns()[rule]; ok {
				s.Pattern = pattern
			}
		}
	}
}

// refineElements is for what follows dive: the elements of a list, or the names and values of a mapping.
func refineElements(s *jsonschema.Schema, typ reflect.Type, rules []string) {
	if typ.Kind() == reflect.Slice {
		refineValue(s.Items, typ.Elem(), strings.Join(rules, ","))
		return
	}
	if len(rules) > 2 && rules[0] == "keys" {
		s.PropertyNames = &jsonschema.Schema{Pattern: patterns()[rules[1]]}
		rules = rules[3:]
	}
	refineValue(s.AdditionalProperties, typ.Elem(), strings.Join(rules, ","))
}

func number(param string) uint64 {
	n, err := strconv.ParseUint(param, 10, 32)
	if err != nil {
		panic(fmt.Sprint("rule with parameter ", param))
	}
	return n
}

func ptr(n uint64) *uint64 { return &n }
