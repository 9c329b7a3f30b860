package catalog

import (
	"fmt"
	"strings"

	"github.com/go-playground/validator/v10"
)

// phrase makes a message and a hint from the offending value, already fit for printing, and the rule's parameter.
type phrase func(value, param string) (message, hint string)

// phrases has one entry for every rule, by its tag.
type phrases map[string]phrase

// messages is the one place that words the rules.
func messages() phrases {
	shape := func(what, hint string) phrase {
		return func(value, _ string) (string, string) { return value + " is not " + what, hint }
	}
	return phrases{
		"required": func(string, string) (string, string) { return "is empty", "write a text" },
		"version": func(value, _ string) (string, string) {
			return value + " is not a version of this format", "write 1"
		},
		"appid":        shape("an id", "use 1 to 32 lower-case letters, digits and inner hyphens"),
		"alias":        shape("an alias", "use up to 63 letters, digits, dots, underscores and hyphens, beginning with a letter or digit"),
		"endpointname": shape("an endpoint's name", "use a lower-case letter, then up to 30 lower-case letters, digits and hyphens"),
		"envname":      shape("the name of an environment variable", "use letters, digits and underscores, not beginning with a digit"),
		"urlpath":      shape("a request path", `begin with "/" and use letters, digits and . _ ~ - /`),
		"port":         shape("a port", "use 1 to 65535"),
		"mountpoint":   shape("a directory to mount on", `write a clean absolute path other than "/", such as "/home/sage"`),
		"localpath":    shape("a path inside the directory", `write a relative path without ".." at its front`),
		"imageref":     shape("a fully qualified image reference", `begin with the registry, such as "localhost/sage/firefox:latest"`),
		"regexp": func(value, param string) (string, string) {
			return value + " is not a regular expression: " + param, "use RE2 syntax"
		},
		"printable": func(string, string) (string, string) {
			return "has a control character", "write plain text on one line"
		},
		"envvalue": func(string, string) (string, string) {
			return "has a control character or more than 32 KiB", "write plain text on one line"
		},
		"oneof": func(value, param string) (string, string) {
			options := strings.Fields(param)
			return value + " is not known", suggest(strings.Trim(value, `"`), options, "use one of")
		},
		"min": func(_, param string) (string, string) { return "is empty", "give at least " + param },
		"max": func(_, param string) (string, string) {
			return "is too long", "use at most " + param + " characters or entries"
		},
		"gt":      func(value, param string) (string, string) { return value + " is too small", "use more than " + param },
		"gte":     func(value, param string) (string, string) { return value + " is too small", "use at least " + param },
		"lte":     func(value, param string) (string, string) { return value + " is too large", "use at most " + param },
		"atleast": func(value, param string) (string, string) { return value + " is too small", "use at least " + param },
		"atmost":  func(value, param string) (string, string) { return value + " is too large", "use at most " + param },
		"twice": func(value, param string) (string, string) {
			return value + " is taken by " + param, "choose another one"
		},
		"builtapp": func(value, param string) (string, string) { return value + " is no app of this catalog", param },
		"hasbuild": func(value, param string) (string, string) { return value + " is an app without build", param },
		"circle": func(value, _ string) (string, string) {
			return value + " needs this image first", "break the circle of build.from"
		},
		"fixedenv": func(value, _ string) (string, string) {
			return value + " is already fixed under env", "remove it here or there"
		},
		"needsrfb": func(string, string) (string, string) {
			return "has no meaning here", "it needs viewing.understand and an endpoint of protocol rfb, or a websocket one with vnc: true"
		},
		"passwordenv": func(value, _ string) (string, string) {
			return value + " is where viewing.password_env has the password", "give one of them another name"
		},
		"onlyfor":  func(_, param string) (string, string) { return "has no meaning here", "it is only for " + param },
		"belowmin": func(value, param string) (string, string) { return value + " is below min", "use at least " + param },
		"fits":     func(_, param string) (string, string) { return param, "" },
	}
}

// say words one broken rule. A value that the file does not have is called missing, whatever its rule.
func (t phrases) say(fe validator.FieldError, present bool) (message, hint string) {
	say, ok := t[fe.Tag()]
	if !ok {
		return "breaks the rule " + fe.Tag(), fe.Param()
	}
	message, hint = say(show(fe.Value()), fe.Param())
	if !present {
		message = "is missing"
	}
	return message, hint
}

func show(value any) string {
	switch value := value.(type) {
	case string:
		return quote(value)
	case Protocol:
		return quote(string(value))
	case VariableType:
		return quote(string(value))
	case float64:
		return formatNumber(value)
	}
	return fmt.Sprint(value)
}
