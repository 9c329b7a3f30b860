package e2e_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestNewestEngine starts Firefox on the newest engine that Debian's archives have,
// where scripts/newest-engine.sh runs the tests beside it, and works with it.
func TestNewestEngine(t *testing.T) {
	if os.Getenv("SAGE_TEST_NEWEST") == "" {
		t.Skip("the engine is the machine's own")
	}
	firefox := slices.IndexFunc(apps(), func(app appCase) bool { return app.id == "firefox" })
	for name := range strings.SplitSeq(os.Getenv("SAGE_TEST_ENGINES"), ",") {
		t.Run(name, func(t *testing.T) { testApp(t, connect(t, name), apps()[firefox]) })
	}
}
