package session_test

import (
	"errors"
	"strings"
	"testing"

	"sage/session"
)

func TestCheckUID(t *testing.T) {
	tests := []struct {
		name, uid string
		// problem is part of what is said of a bad one; empty for a good one.
		problem string
	}{
		{"uuid", "3f0a2c9e-6f3b-4c53-9d5c-2a6f1b0e7d11", ""},
		{"nanoid", "V1StGXR8_Z5jdHi6B-myT", ""},
		{"one letter", "a", ""},
		{"digits", "0123", ""},
		{"leading hyphen", "-a", ""},
		{"leading underscore", "_a", ""},
		{"dots inside", "a.b..c", ""},
		{"longest", strings.Repeat("a", 63), ""},
		{"words of the API inside", "allocate2", ""},
		{"other case of a word", "List", ""},

		{"empty", "", "is empty"},
		{"too long by one", strings.Repeat("a", 64), "has 64 bytes"},
		{"300 characters", strings.Repeat("a", 300), "has 300 bytes"},
		{"multibyte at the cut", strings.Repeat("a", 62) + "éé", "has 66 bytes"},
		{"parent directory", "../x", "begins with a dot"},
		{"dot", ".", "begins with a dot"},
		{"leading dot", ".x", "begins with a dot"},
		{"allocate", "allocate", "word of the API"},
		{"list", "list", "word of the API"},
		{"spaces", "a b", `contains ' '`},
		{"only spaces", "   ", `contains ' '`},
		{"tab", "a\tb", `contains '\t'`},
		{"line end", "a\n", `contains '\n'`},
		{"slash", "a/b", `contains '/'`},
		{"backslash", `a\b`, `contains '\\'`},
		{"NUL", "a\x00b", `contains '\x00'`},
		{"umlaut", "ä", `contains 'ä'`},
		{"other script", "日本", `contains '日'`},
		{"combining mark", "e\u0301", "contains '"},
		{"broken UTF-8", "a\xff", "contains"},
		{"pattern", "a*", `contains '*'`},
		{"equals sign", "a=b", `contains '='`},
		{"percent", "%2e", `contains '%'`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := session.CheckUID(test.uid)
			if test.problem == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var bad *session.UIDError
			if !errors.As(err, &bad) || !errors.Is(err, session.ErrInvalidUID) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(bad.Problem, test.problem) {
				t.Errorf("problem %q lacks %q", bad.Problem, test.problem)
			}
			if !strings.Contains(err.Error(), "use 1 to 63 letters") {
				t.Errorf("%q does not say what would be right", err)
			}
			if len(err.Error()) > 300 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestNewUIDsAreGoodAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		uid := session.NewUID()
		if err := session.CheckUID(uid); err != nil {
			t.Fatal(err)
		}
		if len(uid) < 25 {
			t.Fatalf("%q can be guessed", uid)
		}
		if seen[uid] {
			t.Fatalf("%q came twice", uid)
		}
		seen[uid] = true
	}
}
