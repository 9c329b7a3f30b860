package catalog

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Change is one difference between two catalogs.
type Change struct {
	Kind ChangeKind `json:"kind"`
	// Path leads to the value, list entries by their name where they have one: "apps[firefox].limits.memory".
	Path string `json:"path"`
	// Old and New are the values as a catalog file writes them; "" where there is none, and for an app as a whole. Those
	// of a secret variable are not told.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// ChangeKind says what happened to a value.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// String is the change on one line.
func (c Change) String() string {
	switch {
	case c.Kind == Added && c.New != "":
		return "+ " + c.Path + ": " + c.New
	case c.Kind == Added:
		return "+ " + c.Path
	case c.Kind == Removed && c.Old != "":
		return "- " + c.Path + ": " + c.Old
	case c.Kind == Removed:
		return "- " + c.Path
	default:
		return "~ " + c.Path + ": " + c.Old + " -> " + c.New
	}
}

// Diff lists what is different in the new catalog, in the order of the types' fields and of the catalogs' apps. Defaults
// count as values. The order of lists whose entries have names is no difference.
func Diff(before, after *Catalog) []Change {
	d := &differ{changes: []Change{}}
	d.value("", reflect.ValueOf(*before), reflect.ValueOf(*after))
	return d.changes
}

type differ struct {
	changes []Change
	secret  bool
}

func (d *differ) add(kind ChangeKind, path, before, after string) {
	if d.secret {
		if before != "" {
			before = "(secret)"
		}
		if after != "" {
			after = "(secret)"
		}
	}
	d.changes = append(d.changes, Change{Kind: kind, Path: path, Old: before, New: after})
}

// value compares two values of one type.
func (d *differ) value(path string, before, after reflect.Value) {
	switch before.Kind() {
	case reflect.Struct:
		d.structure(path, before, after)
	case reflect.Pointer:
		switch {
		case before.IsNil() && after.IsNil():
		case before.IsNil():
			d.add(Added, path, "", text(after))
		case after.IsNil():
			d.add(Removed, path, text(before), "")
		default:
			d.value(path, before.Elem(), after.Elem())
		}
	case reflect.Map:
		d.keyed(path, mapKeys(before), mapKeys(after), func(key string) (reflect.Value, reflect.Value) {
			k := reflect.ValueOf(key)
			return before.MapIndex(k), after.MapIndex(k)
		})
	case reflect.Slice:
		if nameField(before.Type().Elem()) < 0 {
			d.leaf(path, before, after)
			return
		}
		was, is := byName(before), byName(after)
		d.keyed(path, names(before), names(after), func(key string) (reflect.Value, reflect.Value) {
			return was[key], is[key]
		})
	default:
		d.leaf(path, before, after)
	}
}

func (d *differ) structure(path string, before, after reflect.Value) {
	if v, ok := before.Interface().(Variable); ok {
		defer func(was bool) { d.secret = was }(d.secret)
		d.secret = v.Secret || after.Interface().(Variable).Secret
	}
	for _, f := range reflect.VisibleFields(before.Type()) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			d.value(join(path, name), before.FieldByIndex(f.Index), after.FieldByIndex(f.Index))
		}
	}
}

// keyed compares what has names: first what was there before, then what is new.
func (d *differ) keyed(path string, before, after []string, get func(key string) (before, after reflect.Value)) {
	for _, key := range before {
		was, is := get(key)
		if is.IsValid() {
			d.value(element(path, key), was, is)
		} else {
			d.add(Removed, element(path, key), whole(was), "")
		}
	}
	for _, key := range after {
		if was, is := get(key); !was.IsValid() {
			d.add(Added, element(path, key), "", whole(is))
		}
	}
}

func (d *differ) leaf(path string, before, after reflect.Value) {
	was, is := text(before), text(after)
	switch {
	case was == is:
	case before.IsZero():
		d.add(Added, path, "", is)
	case after.IsZero():
		d.add(Removed, path, was, "")
	default:
		d.add(Changed, path, was, is)
	}
}

// nameField is the index of the field by which entries of a list are told apart, -1 where there is none.
func nameField(t reflect.Type) int {
	if t.Kind() != reflect.Struct {
		return -1
	}
	return slices.IndexFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		return name == "id" || name == "name" || name == "path"
	})
}

func names(list reflect.Value) []string {
	field := nameField(list.Type().Elem())
	all := make([]string, list.Len())
	for i := range all {
		all[i] = list.Index(i).Field(field).String()
	}
	return all
}

// byName returns a list's entries by their names, the first one of each.
func byName(list reflect.Value) map[string]reflect.Value {
	entries := make(map[string]reflect.Value, list.Len())
	for i, name := range names(list) {
		if _, again := entries[name]; !again {
			entries[name] = list.Index(i)
		}
	}
	return entries
}

func mapKeys(m reflect.Value) []string {
	var keys []string
	for _, k := range m.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}

// whole is the text of an entry that came or went: nothing for what has parts of its own.
func whole(v reflect.Value) string {
	if v.Kind() == reflect.Struct {
		return ""
	}
	return text(v)
}

// text writes a value on one line.
func text(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case fmt.Stringer:
		return value.String()
	case string:
		return quote(value)
	case float64:
		return formatNumber(value)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return text(v.Elem())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = text(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Struct:
		var parts []string
		for _, f := range reflect.VisibleFields(v.Type()) {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && !v.FieldByIndex(f.Index).IsZero() {
				parts = append(parts, name+": "+text(v.FieldByIndex(f.Index)))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Map:
		keys := mapKeys(v)
		for i, key := range keys {
			keys[i] = key + ": " + text(v.MapIndex(reflect.ValueOf(key)))
		}
		return "{" + strings.Join(keys, ", ") + "}"
	case reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}
