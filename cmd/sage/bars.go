package main

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"sage/runtime"
)

// bars is the display for terminals: a spinner with the engine's last line, and
// a bar for every layer that is being transferred.
type bars struct {
	out     io.Writer
	options []mpb.ContainerOption

	app    string
	all    *mpb.Progress
	head   *mpb.Bar
	last   atomic.Pointer[string]
	layers map[string]*layer
}

// layer is one bar and the step that it shows: a layer is first downloaded and
// then extracted, and counted anew.
type layer struct {
	bar  *mpb.Bar
	step atomic.Pointer[string]
}

const (
	// lastLineWidth leaves room for the name on a terminal of 80 columns.
	lastLineWidth = 60
	barWidth      = 30
	refsWidth     = 12
)

func (b *bars) begin(app string) {
	b.app, b.layers = app, map[string]*layer{}
	b.last.Store(new(string))
	b.all = mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(b.out), mpb.WithWidth(barWidth)}, b.options...)...)
	b.head = b.all.New(0, mpb.SpinnerStyle().PositionLeft(),
		mpb.BarWidth(1), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(app+" ")),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string {
			return " " + *b.last.Load()
		})))
}

func (b *bars) progress(p runtime.Progress) {
	if text := oneLine(p.Text); p.Layer == "" && text != "" {
		b.last.Store(&text)
	}
	if p.Layer == "" || p.Total <= 0 {
		return
	}
	l := b.layers[p.Layer]
	if l == nil {
		l = b.addLayer(p.Layer)
		b.layers[p.Layer] = l
	}
	step := visible(p.Text, "")
	l.step.Store(&step)
	l.bar.SetTotal(p.Total, false)
	l.bar.SetCurrent(p.Current)
}

func (b *bars) addLayer(name string) *layer {
	l := &layer{}
	l.step.Store(new(string))
	l.bar = b.all.New(0, mpb.BarStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("  "+runewidth.Truncate(visible(name, ""), refsWidth, "")+" ", decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersKiloByte(" % .1f / % .1f"), decor.Any(func(decor.Statistics) string {
			return " " + *l.step.Load()
		})))
	return l
}

func (b *bars) end(outcome string) {
	for _, l := range b.layers {
		l.bar.Abort(true)
	}
	b.head.Abort(true)
	b.all.Wait()
	fmt.Fprintf(b.out, "%s: %s\n", b.app, outcome)
}

// oneLine makes a line of a build fit for one line of a terminal.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(text))
	return runewidth.Truncate(visible(text, ""), lastLineWidth, "...")
}
