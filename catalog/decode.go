package catalog

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills Go values from a node tree. Unlike the decoder of the YAML package it goes on after a mistake, and it
// remembers the place of every value, so that later rules can name it.
type decoder struct {
	*report
}

// document decodes the root of the file.
func (d *decoder) document(n ast.Node, into any) { d.value(n, reflect.ValueOf(into).Elem(), "", false) }

// defaulter is a type whose values begin with defaults, before the file's values overwrite them.
type defaulter interface{ setDefaults() }

// value decodes a node; loose lets a string be written as a bare number or boolean.
func (d *decoder) value(n ast.Node, into reflect.Value, path string, loose bool) {
	d.places[path] = nodePlace(n)
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.fail(path, "anchors (&), aliases (*) and tags (!) are not part of a catalog", "write the value itself")
		return
	case *ast.NullNode:
		d.fail(path, "has no value", "give it one or remove the key")
		return
	}
	if u, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, u, path)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(newValue(into.Type().Elem()))
		d.value(n, into.Elem(), path, loose)
	case reflect.Struct:
		d.structure(n, into, path)
	case reflect.Map:
		d.mapping(n, into, path)
	case reflect.Slice:
		d.sequence(n, into, path, loose)
	case reflect.String:
		if s, ok := scalarText(n, loose); ok {
			into.SetString(s)
			return
		}
		hint := "write a text"
		if s, ok := scalarText(n, true); ok {
			hint = "put it in quotes: " + strconv.Quote(s)
		}
		d.fail(path, describe(n)+" is not a text", hint)
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			into.SetBool(b.Value)
			return
		}
		d.fail(path, describe(n)+" is not a boolean", "write true or false")
	default:
		d.number(n, into, path)
	}
}

// text decodes a size or a duration; a size may be a bare number.
func (d *decoder) text(n ast.Node, into encoding.TextUnmarshaler, path string) {
	what, hint := "a duration", hintDuration
	if _, ok := into.(*Size); ok {
		what, hint = "a size", hintSize
	}
	s, ok := scalarText(n, what == "a size")
	if !ok || into.UnmarshalText([]byte(s)) != nil {
		d.fail(path, describe(n)+" is not "+what, hint)
	}
}

func (d *decoder) number(n ast.Node, into reflect.Value, path string) {
	switch into.Kind() {
	case reflect.Float64:
		switch n := n.(type) {
		case *ast.FloatNode:
			into.SetFloat(n.Value)
			return
		case *ast.IntegerNode:
			if f, err := strconv.ParseFloat(fmt.Sprint(n.Value), 64); err == nil {
				into.SetFloat(f)
				return
			}
		}
		d.fail(path, describe(n)+" is not a number", "write a number, such as 1.5")
	case reflect.Uint16:
		// The only numbers of this kind are ports.
		if i, ok := integer(n); ok && i >= 1 && i <= math.MaxUint16 {
			into.SetUint(uint64(i))
			return
		}
		d.fail(path, describe(n)+" is not a port", "use 1 to 65535")
	default:
		if i, ok := integer(n); ok && !into.OverflowInt(i) {
			into.SetInt(i)
			return
		}
		d.fail(path, describe(n)+" is not a whole number", "write digits without a fraction")
	}
}

func (d *decoder) structure(n ast.Node, into reflect.Value, path string) {
	fields := map[string]reflect.StructField{}
	var known []string
	for _, f := range reflect.VisibleFields(into.Type()) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			fields[name] = f
			known = append(known, name)
		}
	}
	d.each(n, path, join, "write its keys below it: "+list(known), func(key *ast.StringNode, value ast.Node) {
		f, ok := fields[key.Value]
		at := join(path, key.Value)
		if !ok {
			d.problemAt(at, key.GetToken(), "unknown key", suggest(key.Value, known, "known here:"))
			return
		}
		_, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		d.value(value, into.FieldByIndex(f.Index), at, option == "scalar")
	})
}

func (d *decoder) mapping(n ast.Node, into reflect.Value, path string) {
	into.Set(reflect.MakeMap(into.Type()))
	d.each(n, path, element, "write NAME: value pairs below it", func(key *ast.StringNode, value ast.Node) {
		elem := reflect.New(into.Type().Elem()).Elem()
		d.value(value, elem, element(path, key.Value), false)
		into.SetMapIndex(reflect.ValueOf(key.Value), elem)
	})
}

func (d *decoder) sequence(n ast.Node, into reflect.Value, path string, loose bool) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(path, describe(n)+" is not a list", `write its entries below it, each beginning with "- "`)
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), 0, len(seq.Values)))
	for i, v := range seq.Values {
		// A bad entry keeps its place, so that the indices of the others stay right.
		into.Set(reflect.Append(into, newValue(into.Type().Elem()).Elem()))
		d.value(v, into.Index(i), fmt.Sprintf("%s[%d]", path, i), loose)
	}
}

// each calls do for every entry of a mapping that has a plain key which was not there before.
func (d *decoder) each(n ast.Node, path string, extend func(path, key string) string, hint string,
	do func(key *ast.StringNode, value ast.Node),
) {
	m, ok := n.(ast.MapNode)
	if !ok {
		d.fail(path, describe(n)+" is not a mapping", hint)
		return
	}
	first := map[string]*token.Token{}
	for it := m.MapRange(); it.Next(); {
		key, ok := it.Key().(*ast.StringNode)
		if !ok {
			tk := it.Key().GetToken()
			d.problemAt(path, tk, fmt.Sprintf("the key %s is not a plain text", quote(tk.Value)),
				"write a plain name; merge keys (<<) are not part of a catalog")
			continue
		}
		if before, again := first[key.Value]; again {
			d.problemAt(extend(path, key.Value), key.GetToken(), "the key is given twice",
				fmt.Sprintf("remove it here or in line %d", tokenPlace(before).line))
			continue
		}
		first[key.Value] = key.GetToken()
		do(key, it.Value())
	}
}

// fail reports a value that cannot be decoded and keeps later rules from judging what is not there.
func (d *decoder) fail(path, message, hint string) {
	d.bad[path] = true
	d.problem(path, message, hint)
}

// newValue returns a pointer to a new value with its defaults.
func newValue(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if def, ok := v.Interface().(defaulter); ok {
		def.setDefaults()
	}
	return v
}

// scalarText returns a string's value or, if loose, a number or boolean as it is written.
func scalarText(n ast.Node, loose bool) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, loose
	}
	return "", false
}

func integer(n ast.Node) (int64, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(fmt.Sprint(i.Value), 10, 64)
	return v, err == nil
}

// describe names a value for a message.
func describe(n ast.Node) string {
	switch n.(type) {
	case ast.MapNode:
		return "a mapping"
	case ast.ArrayNode:
		return "a list"
	}
	if s, ok := scalarText(n, false); ok {
		return quote(s)
	}
	if s, ok := scalarText(n, true); ok {
		return s
	}
	return "this value"
}

// nodePlace is where a value begins: for a mapping at its first key, not at its first colon.
func nodePlace(n ast.Node) place {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return tokenPlace(m.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return tokenPlace(m.Key.GetToken())
	}
	return tokenPlace(n.GetToken())
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func element(path, key string) string { return path + "[" + key + "]" }
