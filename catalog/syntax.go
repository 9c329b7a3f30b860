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

// Bounds far above what a catalog needs. The parser is recursive, and its time grows with the square of the number of keys
// of one mapping, and of the number of documents.
const (
	maxDepth  = 64
	maxTokens = 2_000_000
	maxKeys   = 10_000
	// Empty ones are taken; of those with something in them there is one.
	maxDocuments = 16
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
	if countSigns(data) > maxTokens {
		r.fileProblem(fmt.Sprintf("has more than %d words and signs", maxTokens), "split the catalog")
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if more := moreDocuments(tokens); more != nil {
		r.problemAt("", more, fmt.Sprintf("is in a file of more than %d documents", maxDocuments), `remove what follows the "---"`)
		return nil
	}
	if tk, message := checkNesting(tokens); tk != nil {
		r.problemAt("", tk, message, "write it in plain block style")
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

// moreDocuments returns the token that begins a document too many; nil for none.
func moreDocuments(tokens token.Tokens) *token.Token {
	documents := 0
	for _, tk := range tokens {
		if tk.Type == token.DocumentHeaderType {
			documents++
		}
		if documents > maxDocuments {
			return tk
		}
	}
	return nil
}

// countSigns counts the bytes that may begin a token of their own, which is at least half the number of tokens.
func countSigns(data []byte) int {
	signs := 0
	for _, b := range data {
		switch b {
		case '\n', '-', ':', ',', '[', ']', '{', '}', '?', '&', '*', '!', '#', '"', '\'':
			signs++
		}
	}
	return signs
}

// level is one block collection that is open: where its entries begin, and whether it is a list.
type level struct {
	column int
	list   bool
	keys   int
}

// nesting follows the depth of a document from token to token. Flow style nests by brackets, block style by columns (YAML
// 1.2.2, sections 7.4 and 8.2). The parser is recursive in both, and in tags and keys that follow each other.
type nesting struct {
	blocks []level
	flow   int
	// run counts what nests without brackets and columns: tags and anchors in a row, and colons within one flow entry.
	run int
	// anchored says that the next token is the name of an anchor.
	anchored bool
}

// checkNesting returns the first token that is nested too deeply or whose mapping has too many keys, with the message for
// it; nil for none.
func checkNesting(tokens token.Tokens) (at *token.Token, message string) {
	var n nesting
	for i, tk := range tokens {
		n.next(tk, isKey(tokens[i:]))
		switch {
		case n.flow+max(0, len(n.blocks)-1)+n.run > maxDepth:
			return tk, fmt.Sprintf("is nested more than %d levels deep", maxDepth)
		case len(n.blocks) > 0 && n.blocks[len(n.blocks)-1].keys > maxKeys:
			return tk, fmt.Sprintf("is in a mapping of more than %d keys", maxKeys)
		}
	}
	return nil, ""
}

// isKey reports whether the first of tokens is the key of a mapping.
func isKey(tokens token.Tokens) bool {
	for _, tk := range tokens[1:] {
		if tk.Type != token.CommentType {
			return tk.Type == token.MappingValueType
		}
	}
	return false
}

func (n *nesting) next(tk *token.Token, key bool) {
	name := n.anchored
	n.anchored = tk.Type == token.AnchorType
	switch tk.Type {
	case token.DocumentHeaderType, token.DocumentEndType:
		*n = nesting{}
	case token.SequenceStartType, token.MappingStartType:
		n.flow++
		n.run = 0
	case token.SequenceEndType, token.MappingEndType:
		n.flow = max(0, n.flow-1)
		n.run = 0
	case token.CollectEntryType:
		n.run = 0
	case token.TagType, token.AnchorType:
		n.run++
	case token.MappingValueType:
		if n.flow > 0 {
			n.run++
		}
	case token.SequenceEntryType:
		n.entry(tk, true)
	case token.MappingKeyType:
		n.entry(tk, false)
	default:
		switch {
		case n.flow > 0, name:
		case key:
			n.entry(tk, false)
		default:
			n.run = 0
		}
	}
}

// entry begins an entry of a block collection: what is further to the right has ended. A list may stand in the column of
// the key that it belongs to.
func (n *nesting) entry(tk *token.Token, list bool) {
	if n.flow > 0 || tk.Position == nil {
		return
	}
	n.run = 0
	column := tk.Position.Column
	for len(n.blocks) > 0 {
		last := n.blocks[len(n.blocks)-1]
		if last.column < column || last.column == column && (last.list == list || !last.list) {
			break
		}
		n.blocks = n.blocks[:len(n.blocks)-1]
	}
	if last := len(n.blocks) - 1; last >= 0 && n.blocks[last].column == column && n.blocks[last].list == list {
		n.blocks[last].keys++
		return
	}
	n.blocks = append(n.blocks, level{column: column, list: list, keys: 1})
}
