package catalog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"sage/catalog"
)

// beyondSchema are the mistakes that need more than one value, the file system or the YAML text to be seen: what is
// given twice, what leads nowhere, what
// belongs to another type, amounts with units.
func beyondSchema() []string {
	return []string{
		"build-circle", "build-containerfile", "build-containerfile-outside", "build-context", "build-context-file", "build-from",
		"endpoint-duplicate", "icon-kind", "icon-missing", "icon-outside", "id-duplicate", "timeouts",
		"variable-allowed", "variable-bounds", "variable-default", "variable-pattern", "two-documents",
	}
}

// TestSchemaAgrees: the schema takes every good catalog, and refuses every bad one that it can see.
func TestSchemaAgrees(t *testing.T) {
	good, err := filepath.Glob("testdata/good-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := filepath.Glob("testdata/bad-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(good) == 0 || len(bad) == 0 {
		t.Fatal("no catalogs to look at")
	}
	for _, file := range append(good, "../catalog.yaml") {
		if err := againstSchema(t, file); err != nil {
			t.Errorf("%s is good, but the schema says: %v", file, err)
		}
	}
	for _, file := range bad {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "bad-"), ".yaml")
		if err := againstSchema(t, file); err == nil != slices.Contains(beyondSchema(), name) {
			t.Errorf("%s is bad, and the schema says: %v", file, err)
		}
	}
}

// TestCatalogNamesItsSchema: editors find the schema by the first line.
func TestCatalogNamesItsSchema(t *testing.T) {
	text, err := os.ReadFile("../catalog.yaml")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	path, ok := strings.CutPrefix(line, "# yaml-language-server: $schema=")
	if !ok {
		t.Fatalf("the first line is %q", line)
	}
	named, err := os.ReadFile(filepath.Join("..", path))
	if err != nil || !bytes.Equal(named, catalog.Schema()) {
		t.Errorf("%s is not the schema: %v", path, err)
	}
}

func againstSchema(t *testing.T, file string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(catalog.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("catalog.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("catalog.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return err
	}
	return schema.Validate(value)
}
