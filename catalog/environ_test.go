package catalog_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"

	"sage/catalog"
)

const environApp = `version: 1
apps:
  - id: one
    title: One
    image: localhost/x/one:1
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
    env: {FIXED: "1"}
    environment:
      - {name: TEXT, default: hello}
      - {name: SHORT, pattern: "a|bc", max_length: 5}
      - {name: CHOICE, allowed: [x, "y z"]}
      - {name: COUNT, type: integer, min: 1, max: 10}
      - {name: RATIO, type: number, allowed: [1.50, 2]}
      - {name: FLAG, type: boolean, default: true}
      - {name: PASSWORD, secret: true, pattern: "[a-z]+"}
`

func one(t *testing.T) *catalog.App {
	t.Helper()
	c, err := catalog.Parse("x.yaml", []byte(environApp), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &c.Apps[0]
}

func TestEnvironAccepts(t *testing.T) {
	a := one(t)
	tests := []struct {
		name, variable string
		value          any
		want           string
	}{
		{"string", "TEXT", "grüß dich", "grüß dich"},
		{"empty string", "TEXT", "", ""},
		{"string of the longest length", "TEXT", strings.Repeat("ü", 1024), strings.Repeat("ü", 1024)},
		{"pattern, first branch", "SHORT", "a", "a"},
		{"pattern, last branch", "SHORT", "bc", "bc"},
		{"choice", "CHOICE", "y z", "y z"},
		{"integer from JSON", "COUNT", float64(5), "5"},
		{"integer as json.Number", "COUNT", json.Number("10"), "10"},
		{"integer of Go", "COUNT", 3, "3"},
		{"integer as string", "COUNT", "5", "5"},
		{"integer written as float", "COUNT", "5.0", "5"},
		{"number", "RATIO", 1.5, "1.5"},
		{"number as string", "RATIO", "1.500", "1.5"},
		{"boolean", "FLAG", false, "false"},
		{"boolean as string", "FLAG", "false", "false"},
		{"secret", "PASSWORD", "geheim", "geheim"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := map[string]string{"FIXED": "1", "TEXT": "hello", "FLAG": "true"}
			want[tt.variable] = tt.want
			got, err := a.Environ(map[string]any{tt.variable: tt.value})
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("got %v (%v), want %v", got, err, want)
			}
		})
	}
	if a.Env["TEXT"] != "" || len(a.Env) != 1 {
		t.Errorf("the app's own environment was changed: %v", a.Env)
	}
}

func TestEnvironRefuses(t *testing.T) {
	a := one(t)
	tests := []struct {
		name, variable string
		value          any
		want           string
	}{
		{"unknown, near", "TXT", "x", `TXT: is not a variable of one: did you mean "TEXT"?`},
		{"unknown, far", "LD_PRELOAD", "x", "it takes CHOICE, COUNT, FLAG, PASSWORD, RATIO, SHORT, TEXT"},
		{"unknown, not printable", "A\x1b[2J", "x", `"A\x1b[2J": is not a variable`},
		{"fixed", "FIXED", "2", "FIXED: is fixed by the catalog: leave it out"},
		{"null", "TEXT", nil, "TEXT: null is not a string"},
		{"number for string", "TEXT", 5.0, "TEXT: 5 is not a string"},
		{"boolean for string", "TEXT", true, "TEXT: true is not a string"},
		{"list", "TEXT", []any{"a"}, "TEXT: a list is not a string"},
		{"object", "FLAG", map[string]any{}, "FLAG: an object is not a boolean"},
		{"NUL", "TEXT", "a\x00b", "control character"},
		{"line feed", "TEXT", "a\nB=c", "control character"},
		{"invalid UTF-8", "TEXT", "\xff", "control character"},
		{"too long", "TEXT", strings.Repeat("ü", 1025), "has 1025 characters: use at most 1024"},
		{"part of pattern", "SHORT", "ab", `"ab" does not match`},
		{"choice", "CHOICE", "z", `"z" is not allowed: use one of "x", "y z"`},
		{"fraction", "COUNT", 1.5, "COUNT: 1.5 is not an integer"},
		{"too small", "COUNT", 0.0, "use at least 1"},
		{"too large", "COUNT", "11", "use at most 10"},
		{"not a number", "COUNT", "five", `"five" is not an integer`},
		{"empty number", "COUNT", "", `"" is not an integer`},
		{"infinite", "RATIO", math.Inf(1), "not a number"},
		{"NaN as string", "RATIO", "NaN", "not a number"},
		{"number not allowed", "RATIO", 1.6, "1.6 is not allowed"},
		{"boolean for number", "RATIO", true, "true is not a number"},
		{"number for boolean", "FLAG", 1.0, "1 is not a boolean"},
		{"word for boolean", "FLAG", "yes", `"yes" is not a boolean`},
		{"secret", "PASSWORD", "GEHEIM", "PASSWORD: the value does not match"},
	}
	all := map[string]any{}
	for _, tt := range tests {
		all[tt.variable] = tt.value
		t.Run(tt.name, func(t *testing.T) {
			env, err := a.Environ(map[string]any{tt.variable: tt.value})
			if env != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, %v; want an error with %q", env, err, tt.want)
			}
			if strings.Contains(err.Error(), "GEHEIM") {
				t.Errorf("a secret is in the message: %v", err)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := a.Environ(all)
		merr, ok := errors.AsType[*multierror.Error](err)
		if !ok || len(merr.Errors) != len(all) {
			t.Fatalf("got %v, want %d problems", err, len(all))
		}
		before := ""
		for _, e := range merr.Errors {
			ve, ok := e.(*catalog.VariableError)
			if !ok {
				t.Fatalf("got %T, want a *catalog.VariableError", e)
			}
			if ve.Name < before {
				t.Errorf("%q comes after %q", ve.Name, before)
			}
			before = ve.Name
		}
	})
}
