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
      - {name: URLS, type: list, pattern: "https?://.+", max_length: 20, max_items: 3}
      - {name: PARTS, type: list, allowed: [red, green]}
      - {name: KEYS, type: list, secret: true, pattern: "[a-z]+"}
      - {name: WORDS, type: list, max_items: 1024}
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
		{"list of one", "URLS", []any{"http://a"}, "http://a"},
		{"list of several", "URLS", []any{"http://a", "https://b/?c=*"}, "http://a https://b/?c=*"},
		{"list of the longest length", "URLS", []any{"http://a", "http://b", "http://c"}, "http://a http://b http://c"},
		{"list of Go", "URLS", []string{"http://a", "http://b"}, "http://a http://b"},
		{"list as one string", "URLS", "http://a", "http://a"},
		{"list as a string of several", "URLS", " http://a\n\thttp://b  http://c ", "http://a http://b http://c"},
		{"list as an empty string", "URLS", "", ""},
		{"list as a string of white space", "URLS", " \t", ""},
		{"empty list", "URLS", []any{}, ""},
		{"list with empty items", "URLS", []any{"", "http://a", ""}, "http://a"},
		{"list item of the longest length", "URLS", []any{"http://" + strings.Repeat("ü", 13)}, "http://" + strings.Repeat("ü", 13)},
		{"choices", "PARTS", []any{"green", "red", "green"}, "green red green"},
		{"secret list", "KEYS", "geheim streng", "geheim streng"},
		{"list of the most bytes", "WORDS", []any{strings.Repeat("ü", 1024), strings.Repeat("a", 1024)}, strings.Repeat("ü", 1024) + " " + strings.Repeat("a", 1024)},
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
		{"unknown, far", "LD_PRELOAD", "x", "it takes CHOICE, COUNT, FLAG, KEYS, PARTS, PASSWORD, RATIO, SHORT, TEXT, URLS, WORDS"},
		{"unknown, not printable", "A\x1b[2J", "x", `"A\x1b[2J": is not a variable`},
		{"fixed", "FIXED", "2", "FIXED: is fixed by the catalog: leave it out"},
		{"null", "TEXT", nil, "TEXT: null is not a string"},
		{"number for string", "TEXT", 5.0, "TEXT: 5 is not a string"},
		{"boolean for string", "TEXT", true, "TEXT: true is not a string"},
		{"list", "TEXT", []any{"a"}, "TEXT: a list is not a string"},
		{"list of Go for string", "TEXT", []string{"a"}, "TEXT: a list is not a string"},
		{"list for integer", "COUNT", []any{5.0}, "COUNT: a list is not an integer"},
		{"list for boolean", "FLAG", []any{true}, "FLAG: a list is not a boolean"},
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
		{"number for list", "URLS", 5.0, "URLS: 5 is not a list: give a list of strings, or one string with spaces between the items"},
		{"null for list", "URLS", nil, "URLS: null is not a list"},
		{"object for list", "URLS", map[string]any{"0": "http://a"}, "URLS: an object is not a list"},
		{"number in list", "URLS", []any{"http://a", 5.0}, "URLS: item 2: 5 is not a string"},
		{"null in list", "URLS", []any{nil}, "URLS: item 1: null is not a string"},
		{"list in list", "URLS", []any{[]any{"http://a"}}, "URLS: item 1: a list is not a string"},
		{"pattern in list", "URLS", []any{"", "http://a", "ftp://b"}, `URLS: item 3: "ftp://b" does not match: it must match https?://.+`},
		{"pattern in list as a string", "URLS", "http://a --help", `URLS: item 2: "--help" does not match`},
		{"white space in an item", "URLS", []any{"http://a b"}, `URLS: item 1: "http://a b" has white space: give every item by itself`},
		{"no-break space in an item", "URLS", []any{"http://a\u00a0b"}, "URLS: item 1:"},
		{"white space alone in an item", "WORDS", []any{" "}, `WORDS: item 1: " " has white space`},
		{"line feed in an item", "URLS", []any{"http://a\nb"}, "URLS: item 1: has a control character"},
		{"NUL in a list as a string", "URLS", "http://a\x00b", "URLS: item 1: has a control character"},
		{"long item", "URLS", []any{"http://a", "http://" + strings.Repeat("ü", 14)}, "URLS: item 2: has 21 characters: use at most 20"},
		{"too many items", "URLS", []any{"http://a", "http://b", "http://c", "http://d"}, "URLS: has 4 items: use at most 3"},
		{"too many items in a string", "URLS", "a b c d", "URLS: has 4 items: use at most 3"},
		{"too many items by default", "PARTS", strings.Repeat("red ", 33), "PARTS: has 33 items: use at most 32"},
		{"too many bytes in a list", "WORDS", strings.Repeat(strings.Repeat("a", 1023)+" ", 33), "WORDS: has 33791 bytes in all: use at most 32768"},
		{"choice in list", "PARTS", []any{"red", "blue"}, `PARTS: item 2: "blue" is not allowed: use one of "red", "green"`},
		{"secret in list", "KEYS", []any{"geheim", "GEHEIM"}, "KEYS: item 2: the value does not match"},
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
			ve, ok := errors.AsType[*catalog.VariableError](e)
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
