package catalog

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote returns s in quotes, shortened where it would flood a message.
func quote(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) <= limit {
		return strconv.Quote(s)
	}
	return strconv.Quote(string([]rune(s)[:limit])) + "..."
}

// list joins names for a message, shortened where it would flood it.
func list(names []string) string {
	const limit = 20
	if len(names) > limit {
		return strings.Join(names[:limit], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// suggest returns "did you mean ...?" for the known name nearest to name, else fallback with all of them.
func suggest(name string, known []string, fallback string) string {
	// Among more names than somebody reads, none is looked for: there may be as many mistakes.
	const looked = 200
	best, least := "", 3
	for _, k := range known[:min(len(known), looked)] {
		d := distance(strings.ToLower(name), strings.ToLower(k))
		if len(name) > 2 && strings.HasPrefix(k, name) {
			// Somebody's shorter form of it, as int is of integer.
			d = min(d, 1)
		}
		if d < least && d < utf8.RuneCountInString(k) {
			best, least = k, d
		}
	}
	if best != "" {
		return "did you mean " + strconv.Quote(best) + "?"
	}
	if len(known) == 0 {
		return ""
	}
	if len(known) <= looked {
		known = slices.Sorted(slices.Values(known))
	}
	return fallback + " " + list(known)
}

// distance counts the letters to insert, delete, change or swap with their neighbour to make b of a, where more than
// two letters of difference in length are not looked at.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if max(len(s)-len(t), len(t)-len(s)) > 2 {
		return 3
	}
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}

// hasControl reports whether s has a character that could break a terminal, a log line or an environment block.
func hasControl(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl)
}
