package catalog

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds far above what a catalog needs. The parser is recursive, and its time grows with the square of a list's length.
const (
	maxDepth  = 64
	maxTokens = 100_000
)

// parse returns the root value of the only document, or nil after it has reported why there is none.
func (r *report) parse(data []byte) (root ast.Node) {
	// A file that is reloaded while desktops run must not end the program by a flaw in the parser.
	defer func() {
		if v := recover(); v != nil {
			r.fileProblem(fmt.Sprintf("cannot be understood as YAML (%v)", v), "write it in plain block style")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if len(tokens) > maxTokens {
		r.problemAt("", tokens[maxTokens], fmt.Sprintf("has more than %d words and signs", maxTokens), "split the catalog")
		return nil
	}
	if tk := tooDeep(tokens); tk != nil {
		r.problemAt("", tk, fmt.Sprintf("is nested more than %d levels deep", maxDepth), "write it in plain block style")
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if ye, ok := errors.AsType[yaml.Error](err); ok {
			r.problemAt("", ye.GetToken(), "is not YAML: "+ye.GetMessage(), "")
		} else {
			r.fileProblem("is not YAML: "+err.Error(), "")
		}
		return nil
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.NullType:
		case root != nil:
			r.problemAt("", doc.Body.GetToken(), "is a second document", `remove what follows the "---"`)
		default:
			root = doc.Body
		}
	}
	if root == nil {
		r.fileProblem("is empty", `begin with "version: 1" and "apps:"`)
	}
	return root
}

// tooDeep returns the first token beyond maxDepth, or nil.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, line, entries := 0, 0, 0
	for _, tk := range tokens {
		if tk.Position != nil && tk.Position.Line != line {
			line, entries = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			entries++
		}
		if flow > maxDepth || entries > maxDepth || (tk.Position != nil && tk.Position.IndentLevel > maxDepth) {
			return tk
		}
	}
	return nil
}
