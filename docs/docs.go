// Package docs keeps the parts of these pages that are made from the code. The packages whose code it is do that in their
// tests; the package knows none of them.
package docs

import (
	"os"
	"strings"
	"testing"
)

// UpdateEnv is the environment variable that lets tests write what is generated; see the target generate of the Makefile.
const UpdateEnv = "SAGE_UPDATE_DOCS"

// Made wants the part of a page between its marks
//
//	<!-- begin NAME: made by ... -->
//	<!-- end NAME -->
//
// to be the given text, which ends with a newline. With UpdateEnv it writes the text there.
func Made(t testing.TB, page, name, text string) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), "<!-- begin "+name+": made by ")
	by, rest, marked := strings.Cut(rest, " -->\n")
	now, after, ends := strings.Cut(rest, "<!-- end "+name+" -->\n")
	switch {
	case !begins || !marked || !ends:
		t.Fatalf("%s has no part %q", page, name)
	case now == text:
		return
	case os.Getenv(UpdateEnv) == "":
		t.Fatalf("the part %q of %s is not what the code says: make generate", name, page)
	}
	whole := before + "<!-- begin " + name + ": made by " + by + " -->\n" + text + "<!-- end " + name + " -->\n" + after
	if err := os.WriteFile(page, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
}
