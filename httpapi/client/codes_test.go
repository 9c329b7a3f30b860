package client_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestCodesAreTheServers finds codes that the server does not have (any more).
func TestCodesAreTheServers(t *testing.T) {
	served := map[string]bool{}
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		maps.Copy(served, texts(t, file))
	}
	own := texts(t, "codes.go")
	if len(own) < 10 {
		t.Fatalf("only %d codes were found", len(own))
	}
	for code := range own {
		if code != "foreign_answer" && !served[code] {
			t.Errorf("no error of the server has the code %q", code)
		}
	}
}

// texts are the string literals of a Go file.
func texts(t *testing.T, path string) map[string]bool {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				found[text] = true
			}
		}
		return true
	})
	return found
}
