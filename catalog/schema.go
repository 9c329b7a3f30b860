package catalog

import (
	_ "embed"
	"slices"
)

// schema is made from this package's types by their test; see the target generate of the Makefile.
//
//go:embed catalog.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of a catalog file, for editors and reviewers. It knows every key, type,
// range and default; what goes beyond one value (names that are given twice, files that are missing) only [Load] finds.
func Schema() []byte { return slices.Clone(schema) }
