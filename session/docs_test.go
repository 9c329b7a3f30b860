package session_test

import (
	"fmt"
	"strings"
	"testing"

	"sage/docs"
	"sage/session"
)

// architecture is the page that holds what is made from the code's own tables.
const architecture = "../docs/architecture.md"

// TestDocumentedLife: the diagram and the invariants on the page are those of
// the code. SAGE_UPDATE_DOCS=1 writes them.
func TestDocumentedLife(t *testing.T) {
	docs.Made(t, architecture, "states", diagram())
	docs.Made(t, architecture, "invariants", promises())
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
