package main

import (
	"context"
	"fmt"
	"sync"

	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/runtime"
)

// followStart shows what becomes of a uid's desktop until the function that it
// gives is called with what came out of it. What cannot be followed is not
// shown: the start itself says what is wrong.
func followStart(ctx context.Context, sage *client.Client, uid string, on display) (end func(outcome string)) {
	ctx, cancel := context.WithCancel(ctx)
	s := starting{uid: uid, on: on}
	var work sync.WaitGroup
	work.Go(func() { _ = sage.Follow(ctx, uid, s.tell) })
	return func(outcome string) {
		cancel()
		work.Wait()
		if s.begun {
			s.on.end(outcome)
		}
	}
}

// starting shows one start.
type starting struct {
	uid   string
	on    display
	begun bool
	// last are the last words, which are shown once.
	last string
}

// tell is told how the desktop is now.
func (s *starting) tell(d api.Desktop) error {
	words := phaseWords(d)
	if words == "" {
		return nil
	}
	if !s.begun {
		s.begun = true
		s.on.begin(s.uid)
	}
	if words != s.last {
		s.last = words
		s.on.progress(runtime.Progress{Text: words})
	}
	if d.Image != nil {
		for _, l := range d.Image.Layers {
			s.on.progress(runtime.Progress{Layer: l.ID, Text: l.Status, Current: l.Current, Total: l.Total})
		}
	}
	return nil
}

// phaseWords says what a desktop that comes up waits for; nothing of another
// one.
func phaseWords(d api.Desktop) string {
	switch d.Phase {
	case "queued":
		return fmt.Sprintf("place %d among the starts that wait", d.QueuePosition)
	case "settings", "create":
		return "its container is made"
	case "start":
		return "its container is started"
	case "ready":
		return "it has to answer yet"
	case "image":
		if d.Image != nil && len(d.Image.Layers) == 0 && d.Image.Text != "" {
			return d.Image.Text
		}
		return "its image is brought"
	default:
		return ""
	}
}
