package catalog

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
)

// defaultMaxItems is the bound of a list variable without max_items.
const defaultMaxItems = 32

// maxListBytes bounds a whole list as it stands in the environment. A kernel takes no variable above 128 KiB.
const maxListBytes = 32 << 10

// acceptList judges every item and joins them with one space. Empty items are left out, as an empty text between two
// spaces could not be told from nothing.
func (v *Variable) acceptList(value any) (string, *VariableError) {
	items, ok := listItems(value)
	if !ok {
		return "", v.refuse(v.show(value)+" is not a list", "give a list of strings, or one string with spaces between the items")
	}
	if limit := cmp.Or(v.MaxItems, defaultMaxItems); len(items) > limit {
		return "", v.refuse(fmt.Sprintf("has %d items", len(items)), fmt.Sprintf("use at most %d", limit))
	}
	var texts []string
	for i, item := range items {
		if item == "" {
			continue
		}
		s, no := v.acceptItem(item)
		if no != nil {
			no.Message = fmt.Sprintf("item %d: %s", i+1, no.Message)
			return "", no
		}
		texts = append(texts, s)
	}
	joined := strings.Join(texts, " ")
	if len(joined) > maxListBytes {
		return "", v.refuse(fmt.Sprintf("has %d bytes in all", len(joined)), fmt.Sprintf("use at most %d", maxListBytes))
	}
	return joined, nil
}

// acceptItem judges one item of a list by the rules of a string.
func (v *Variable) acceptItem(value any) (string, *VariableError) {
	one := *v
	one.Type = String
	s, no := one.accept(value)
	if no == nil && strings.ContainsFunc(s, unicode.IsSpace) {
		return "", v.refuse(v.show(value)+" has white space", "give every item by itself")
	}
	return s, no
}

// listItems takes a list apart, in the forms that a caller may give it.
func listItems(value any) ([]any, bool) {
	switch value := value.(type) {
	case []any:
		return value, true
	case []string:
		return anySlice(value), true
	case string:
		return anySlice(strings.Fields(value)), true
	}
	return nil, false
}

func anySlice(texts []string) []any {
	items := make([]any, len(texts))
	for i, s := range texts {
		items[i] = s
	}
	return items
}
