package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// terminal is a terminal that shows text and obeys none of it: what a desktop or a
// daemon wrote must not move the cursor, set the title or fill the clipboard
// (ECMA-48), nor show letters in another order than they have (UAX #9).
type terminal struct {
	file *os.File

	mu sync.Mutex
	// rest is the beginning of a character, or a carriage return, whose rest is to
	// come.
	rest []byte
}

// asTerminal returns w as it is written to: what is no terminal gets bytes as they are.
func asTerminal(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &terminal{file: f}
	}
	return w
}

// onTerminal reports whether a person reads what is written to w.
func onTerminal(w io.Writer) bool {
	_, ok := asTerminal(w).(*terminal)
	return ok
}

// obeying returns w with the control sequences of a terminal; who writes them
// takes care that none come from elsewhere.
func obeying(w io.Writer) io.Writer {
	if t, ok := w.(*terminal); ok {
		return t.file
	}
	return w
}

// Write implements io.Writer.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := append(t.rest, p...)
	t.rest = nil
	if n := whole(text); n < len(text) {
		text, t.rest = text[:n], bytes.Clone(text[n:])
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	if _, err := t.file.WriteString(visible(string(text), "\n\t")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// whole returns how many bytes of text can be judged by themselves.
func whole(text []byte) int {
	if bytes.HasSuffix(text, []byte("\r")) {
		return len(text) - 1
	}
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if last := text[len(text)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return len(text) - i
			}
			break
		}
	}
	return len(text)
}

// visible replaces control characters, but those in allowed, and those that turn
// the direction of writing.
func visible(text, allowed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(allowed, r):
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return utf8.RuneError
		}
		return r
	}, text)
}
