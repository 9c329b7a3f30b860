package catalog

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// report gathers the problems of one file. Inside it, paths count apps by index; err turns them into ids.
type report struct {
	file     string
	problems []*Problem
	places   map[string]place
	bad      map[string]bool
}

type place struct{ line, column int }

func newReport(file string) *report {
	return &report{file: file, places: map[string]place{}, bad: map[string]bool{}}
}

// fileProblem adds a problem of the file as a whole.
func (r *report) fileProblem(message, hint string) {
	r.problems = append(r.problems, &Problem{File: r.file, Message: message, Hint: hint})
}

// problemAt adds a problem at a token.
func (r *report) problemAt(path string, tk *token.Token, message, hint string) {
	at := tokenPlace(tk)
	r.problems = append(r.problems, &Problem{
		File: r.file, Path: path, Line: at.line, Column: at.column, Message: message, Hint: hint,
	})
}

// problem adds a problem of the value at path, or of the nearest value around it that the file has.
func (r *report) problem(path, message, hint string) {
	at, ok := r.places[path]
	for parent := path; !ok && parent != ""; at, ok = r.places[parent] {
		parent = cutLast(parent)
	}
	r.problems = append(r.problems, &Problem{
		File: r.file, Path: path, Line: at.line, Column: at.column, Message: message, Hint: hint,
	})
}

// spoiled reports whether the value at path could not be decoded, so that nothing more can be said about it.
func (r *report) spoiled(path string) bool {
	for ; path != ""; path = cutLast(path) {
		if r.bad[path] {
			return true
		}
	}
	return r.bad[""]
}

// present reports whether the file gives a value at path.
func (r *report) present(path string) bool {
	_, ok := r.places[path]
	return ok
}

// err returns the gathered problems, or nil.
func (r *report) err(c *Catalog) error {
	index := regexp.MustCompile(`^apps\[(\d+)\]`)
	name := func(s string) string {
		return index.ReplaceAllStringFunc(s, func(found string) string {
			i, err := strconv.Atoi(found[len("apps[") : len(found)-1])
			if c == nil || err != nil || i >= len(c.Apps) || !isAppID(c.Apps[i].ID) {
				return found
			}
			return "apps[" + c.Apps[i].ID + "]"
		})
	}
	for _, p := range r.problems {
		p.Path = name(p.Path)
	}
	return joinProblems(r.problems)
}

// cutLast removes the last key or index of a path.
func cutLast(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:max(0, strings.LastIndexByte(path, '['))]
	}
	return path[:max(0, strings.LastIndexByte(path, '.'))]
}

func tokenPlace(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{}
	}
	return place{line: max(1, tk.Position.Line), column: max(1, tk.Position.Column)}
}
