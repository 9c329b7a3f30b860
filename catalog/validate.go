package catalog

import (
	"errors"
	"math"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/go-playground/validator/v10"
)

// validate applies the rules of the struct tags and those between fields, and reports what they find.
func (r *report) validate(c *Catalog) {
	var found validator.ValidationErrors
	if !errors.As(newValidator().Struct(c), &found) {
		return
	}
	table := messages()
	for _, fe := range found {
		at := strings.TrimPrefix(fe.Namespace(), "Catalog.")
		if r.spoiled(at) {
			continue
		}
		message, hint := table.say(fe, r.present(at))
		r.problem(at, message, hint)
	}
}

// newValidator knows every rule of this package's types.
func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		return name
	})
	for tag, rule := range fieldRules() {
		// The only errors are an empty tag and a missing function.
		if err := v.RegisterValidation(tag, rule); err != nil {
			panic(err)
		}
	}
	v.RegisterStructValidation(checkCatalog, Catalog{})
	v.RegisterStructValidation(checkApp, App{})
	v.RegisterStructValidation(checkEndpoint, Endpoint{})
	v.RegisterStructValidation(checkVariable, Variable{})
	return v
}

// fieldRules are the tags that the validator does not bring along.
func fieldRules() map[string]validator.Func {
	rules := map[string]validator.Func{
		"version":   func(fl validator.FieldLevel) bool { return fl.Field().Int() == 1 },
		"port":      func(fl validator.FieldLevel) bool { return fl.Field().Uint() != 0 },
		"printable": func(fl validator.FieldLevel) bool { return !hasControl(fl.Field().String()) },
		"envvalue": func(fl validator.FieldLevel) bool {
			return !hasControl(fl.Field().String()) && fl.Field().Len() <= 32<<10
		},
		"localpath": func(fl validator.FieldLevel) bool { return isLocalPath(fl.Field().String()) },
		"mountpoint": func(fl validator.FieldLevel) bool {
			s := fl.Field().String()
			return path.IsAbs(s) && s != "/" && path.Clean(s) == s && !strings.ContainsAny(s, ":,") && !hasControl(s)
		},
		"imageref": func(fl validator.FieldLevel) bool { return isFullReference(fl.Field().String()) },
		"atleast":  func(fl validator.FieldLevel) bool { return fl.Field().Int() >= quantity(fl) },
		"atmost":   func(fl validator.FieldLevel) bool { return fl.Field().Int() <= quantity(fl) },
	}
	for tag, pattern := range patterns() {
		re := regexp.MustCompile(pattern)
		rules[tag] = func(fl validator.FieldLevel) bool { return re.MatchString(fl.Field().String()) }
	}
	return rules
}

// patterns are the rules that a regular expression says as a whole; the JSON Schema has them, too.
func patterns() map[string]string {
	return map[string]string{
		"appid":        `^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`,
		"alias":        `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`,
		"endpointname": `^[a-z][a-z0-9-]{0,30}$`,
		"envname":      `^[A-Za-z_][A-Za-z0-9_]{0,127}$`,
		"urlpath":      `^/[A-Za-z0-9._~/-]{0,255}$`,
	}
}

// quantity reads a tag's parameter in the text form of the field's type.
func quantity(fl validator.FieldLevel) int64 {
	var s Size
	var d Duration
	if fl.Field().Type() == reflect.TypeFor[Size]() {
		if err := s.UnmarshalText([]byte(fl.Param())); err != nil {
			panic(err)
		}
		return int64(s)
	}
	if err := d.UnmarshalText([]byte(fl.Param())); err != nil {
		panic(err)
	}
	return int64(d)
}

// isAppID reports whether s is one letter or digit, or up to 32 of them with hyphens between.
func isAppID(s string) bool { return regexp.MustCompile(patterns()["appid"]).MatchString(s) }

// isLocalPath reports whether s stays below the directory that it is relative to.
func isLocalPath(s string) bool { return filepath.IsLocal(filepath.FromSlash(s)) && !hasControl(s) }

// isFullReference reports whether s is an image reference that begins with a registry's host, by the rule that Docker and
// Podman share: the host has a dot or a port, or is localhost.
func isFullReference(s string) bool {
	ref, err := reference.Parse(s)
	if err != nil {
		return false
	}
	if _, ok := ref.(reference.Named); !ok {
		return false
	}
	host, _, found := strings.Cut(s, "/")
	return found && (host == "localhost" || strings.ContainsAny(host, ".:"))
}

// compileWhole compiles a pattern that has to match from the first to the last character.
func compileWhole(pattern string) (*regexp.Regexp, error) {
	// Compiled alone first: "a)(b" is valid only inside the brackets.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

// integral reports whether f is a whole number that a float64 holds exactly.
func integral(f float64) bool { return f == math.Trunc(f) && math.Abs(f) <= 1<<53 }

func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
