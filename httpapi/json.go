package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// formats returns those of bodies: JSON without what two programs may understand
// in two ways (RFC 8259, section 4, on names; encoding/json takes the last one of a
// name, and names in any case).
func formats() map[string]huma.Format {
	all := maps.Clone(huma.DefaultFormats)
	for name, format := range all {
		format.Unmarshal = unmarshalStrictly
		all[name] = format
	}
	return all
}

// unmarshalStrictly reads JSON like json.Unmarshal, but refuses a name that an object has twice,
// and one that is a field's but for its case.
func unmarshalStrictly(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	if err := checkUnique(data); err != nil {
		return err
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		return err
	}
	return checkCase(plain, reflect.TypeOf(v))
}

// checkUnique refuses an object with two values of one name, at any depth, in
// valid JSON.
func checkUnique(data []byte) error {
	// One entry for each object or list that is open; nil stands for a list.
	var open []map[string]bool
	isName := false // Whether a text would be the name of a member.
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			open, isName = append(open, map[string]bool{}), true
			continue
		case json.Delim('['):
			open, isName = append(open, nil), false
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if name, ok := token.(string); ok && isName {
				names := open[len(open)-1]
				if names[name] {
					return fmt.Errorf("the name %q is given twice in one object", clip(name))
				}
				names[name], isName = true, false
				continue
			}
		}
		isName = len(open) > 0 && open[len(open)-1] != nil
	}
}

// checkCase refuses names that are those of a type's fields but for their case, at
// any depth.
func checkCase(v any, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for _, item := range v {
			if err := checkCase(item, t.Elem()); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member := t
			switch t.Kind() {
			case reflect.Map:
				member = t.Elem()
			case reflect.Struct:
				field, other := fieldOf(t, name)
				if other != "" {
					return fmt.Errorf("the name %q is unknown: write %q", clip(name), other)
				}
				member = field
			}
			if member == nil {
				continue
			}
			if err := checkCase(v[name], member); err != nil {
				return err
			}
		}
	}
	return nil
}

// fieldOf returns the type of the field of that name, nil for none, and the field's
// name where it is written in another case.
func fieldOf(t reflect.Type, name string) (field reflect.Type, other string) {
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == name:
			return f.Type, ""
		case tag != "" && strings.EqualFold(tag, name):
			other = tag
		}
	}
	return nil, other
}
