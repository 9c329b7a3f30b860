package session_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"sage/session"
)

// architecture is the page that holds what is made from the code's own tables.
const architecture = "../docs/architecture.md"

// TestDocumentedLife: the diagram and the invariants on the page are those of
// the code. SAGE_UPDATE_DOCS=1 writes them.
func TestDocumentedLife(t *testing.T) {
	page, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, section := range map[string]string{"states": diagram(), "invariants": promises()} {
		begin, end := "<!-- begin "+name+": made by the tests of package session -->\n", "<!-- end "+name+" -->\n"
		before, rest, ok1 := strings.Cut(text, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok1 || !ok2 {
			t.Fatalf("%s has no section between %q and %q", architecture, begin, end)
		}
		text = before + begin + section + end + after
	}
	if text == string(page) {
		return
	}
	if os.Getenv("SAGE_UPDATE_DOCS") == "" {
		t.Fatalf("%s is not what the code says: SAGE_UPDATE_DOCS=1 go test ./session -run %s", architecture, t.Name())
	}
	if err := os.WriteFile(architecture, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// diagram draws the table of states with Mermaid.
func diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> absent\n")
	for _, row := range session.Transitions() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", row.From, row.To, row.When)
	}
	b.WriteString("```\n")
	return b.String()
}

// promises lists the invariants that the random walks check after every step.
func promises() string {
	var b strings.Builder
	for _, i := range invariants() {
		fmt.Fprintf(&b, "- %s\n", i.promise)
	}
	return b.String()
}
