package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/hashicorp/go-multierror"
)

// defaultMaxLength is the bound of a string variable without max_length, in characters.
const defaultMaxLength = 1024

// MaxMistakes is the largest number of bad values that [App.Environ] names.
const MaxMistakes = 20

// MoreError stands for the bad values that were not named.
type MoreError struct {
	// Count is their number, at least 1.
	Count int
}

// Error returns "and N more".
func (e *MoreError) Error() string { return fmt.Sprintf("and %d more", e.Count) }

// VariableError is one value that a caller may not set.
type VariableError struct {
	// Name is the variable's name as the caller gave it.
	Name string
	// Message says what is wrong, Hint what would be right ("" when there is nothing to say).
	Message, Hint string
}

// Error returns "NAME: message: hint".
func (e *VariableError) Error() string { return quoteName(e.Name) + ": " + e.text() }

func (e *VariableError) text() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

// Environ returns the environment of a container: the fixed one, the variables' defaults, and over these the given
// values, which have the types of decoded JSON (string, float64 or [json.Number], bool) or are Go integers. A string that
// reads as a number or boolean is taken as one. Numbers and booleans are returned in one way of writing, whatever the
// caller wrote. A list is []any of strings, []string, or one string with white space between the items; it is returned
// with one space between them.
//
// An error is a *multierror.Error of *VariableError, one for each bad value, in the order of their names. It names the
// first [MaxMistakes] of them; a last *MoreError counts the others.
func (a *App) Environ(given map[string]any) (map[string]string, error) {
	env := maps.Clone(a.Env)
	if env == nil {
		env = map[string]string{}
	}
	known := map[string]*Variable{}
	for i := range a.Variables {
		v := &a.Variables[i]
		known[v.Name] = v
		if v.Default == nil {
			continue
		}
		if s, no := v.accept(*v.Default); no == nil {
			env[v.Name] = s
		}
	}
	bad := &multierror.Error{ErrorFormat: formatLines}
	more := 0
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v, ok := known[name]
		if !ok && len(bad.Errors) < MaxMistakes {
			bad.Errors = append(bad.Errors, a.refuseName(name, slices.Collect(maps.Keys(known))))
			continue
		}
		if !ok {
			more++
			continue
		}
		s, no := v.accept(given[name])
		switch {
		case no == nil:
			env[name] = s
		case len(bad.Errors) < MaxMistakes:
			bad.Errors = append(bad.Errors, no)
		default:
			more++
		}
	}
	if more > 0 {
		bad.Errors = append(bad.Errors, &MoreError{more})
	}
	if err := bad.ErrorOrNil(); err != nil {
		return nil, err
	}
	return env, nil
}

func (a *App) refuseName(name string, known []string) *VariableError {
	if _, fixed := a.Env[name]; fixed {
		return &VariableError{Name: name, Message: "is fixed by the catalog", Hint: "leave it out"}
	}
	hint := suggest(name, known, "it takes")
	if hint == "" {
		hint = "it takes none"
	}
	return &VariableError{Name: name, Message: "is not a variable of " + a.ID, Hint: hint}
}

// accept returns the text form of a value that passes the variable's rules.
func (v *Variable) accept(value any) (string, *VariableError) {
	var text string
	var no *VariableError
	switch v.Type {
	case List:
		return v.acceptList(value)
	case Integer, Number:
		text, no = v.acceptNumber(value)
	case Boolean:
		text, no = v.acceptBoolean(value)
	default:
		text, no = v.acceptString(value)
	}
	if no != nil || len(v.Allowed) == 0 {
		return text, no
	}
	plain := *v
	plain.Allowed = nil
	for _, a := range v.Allowed {
		// Compared in one form, so that an allowed 1.50 permits 1.5.
		if s, bad := plain.accept(a); bad == nil && s == text {
			return text, nil
		}
	}
	return "", v.refuse(v.show(value)+" is not allowed", "use one of "+list(quoteAll(v.Allowed)))
}

func (v *Variable) acceptString(value any) (string, *VariableError) {
	s, ok := value.(string)
	if !ok {
		return "", v.refuse(v.show(value)+" is not a string", "give a string")
	}
	if hasControl(s) {
		return "", v.refuse("has a control character", "give plain UTF-8 text on one line")
	}
	limit := cmp.Or(v.MaxLength, defaultMaxLength)
	if n := utf8.RuneCountInString(s); n > limit {
		return "", v.refuse(fmt.Sprintf("has %d characters", n), fmt.Sprintf("use at most %d", limit))
	}
	if v.Pattern != "" {
		re, err := compileWhole(v.Pattern)
		if err != nil || !re.MatchString(s) {
			return "", v.refuse(v.show(value)+" does not match", "it must match "+v.Pattern)
		}
	}
	return s, nil
}

func (v *Variable) acceptNumber(value any) (string, *VariableError) {
	f, ok := toFloat(value)
	if !ok {
		return "", v.refuse(v.show(value)+" is not "+article(v.Type), "give "+article(v.Type))
	}
	if v.Type == Integer && !integral(f) {
		return "", v.refuse(v.show(value)+" is not an integer", "use a whole number between -2^53 and 2^53")
	}
	if v.Min != nil && f < *v.Min {
		return "", v.refuse(v.show(value)+" is too small", "use at least "+formatNumber(*v.Min))
	}
	if v.Max != nil && f > *v.Max {
		return "", v.refuse(v.show(value)+" is too large", "use at most "+formatNumber(*v.Max))
	}
	return formatNumber(f + 0), nil
}

func (v *Variable) acceptBoolean(value any) (string, *VariableError) {
	switch value {
	case true, "true":
		return "true", nil
	case false, "false":
		return "false", nil
	}
	return "", v.refuse(v.show(value)+" is not a boolean", "give true or false")
}

func (v *Variable) refuse(message, hint string) *VariableError {
	return &VariableError{Name: v.Name, Message: message, Hint: hint}
}

// show names a value for a message, but not a secret one.
func (v *Variable) show(value any) string {
	if v.Secret {
		return "the value"
	}
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return quote(value)
	case json.Number:
		return quote(value.String())
	case []any, []string:
		return "a list"
	case map[string]any:
		return "an object"
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
	return fmt.Sprint(value)
}

// toFloat reads a number, or a string that is one.
func toFloat(value any) (float64, bool) {
	var text string
	switch value := value.(type) {
	case string:
		text = value
	case json.Number:
		text = value.String()
	default:
		rv := reflect.ValueOf(value)
		switch {
		case rv.CanInt():
			return float64(rv.Int()), true
		case rv.CanUint():
			return float64(rv.Uint()), true
		case rv.CanFloat():
			return rv.Float(), isFinite(rv.Float())
		}
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && isFinite(f)
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func article(t VariableType) string {
	if t == Integer {
		return "an integer"
	}
	return "a " + string(t)
}

func quoteAll(values []string) []string {
	quoted := make([]string, len(values))
	for i, s := range values {
		quoted[i] = quote(s)
	}
	return quoted
}

// quoteName shows an environment name bare, unless it is none and could break the message.
func quoteName(name string) string {
	if name == "" || hasControl(name) || utf8.RuneCountInString(name) > 60 {
		return quote(name)
	}
	return name
}
