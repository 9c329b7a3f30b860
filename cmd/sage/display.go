package main

import (
	"fmt"
	"io"

	"sage/runtime"
)

// display shows how images come, one app after the other: begin, any number of
// progress, end.
type display interface {
	begin(app string)
	progress(p runtime.Progress)
	// end says what came out of it.
	end(outcome string)
}

// newDisplay draws bars on a terminal, and writes lines elsewhere.
func newDisplay(w io.Writer) display {
	if onTerminal(w) {
		return &bars{out: obeying(w)}
	}
	return &lines{out: w}
}

// lines is the display for logs and pipes.
type lines struct {
	out io.Writer
	app string
	// told are the last words about each layer, of which only new ones are told.
	told map[string]string
}

func (l *lines) begin(app string) { l.app, l.told = app, map[string]string{} }

func (l *lines) progress(p runtime.Progress) {
	switch {
	case p.Layer == "":
		fmt.Fprintf(l.out, "%s: %s\n", l.app, p.Text)
	case l.told[p.Layer] != p.Text:
		l.told[p.Layer] = p.Text
		fmt.Fprintf(l.out, "%s: %s %s\n", l.app, p.Layer, p.Text)
	}
}

func (l *lines) end(outcome string) { fmt.Fprintf(l.out, "%s: %s\n", l.app, outcome) }
