package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/runtime"
	"sage/session"
)

// place is where a desktop is.
type place struct {
	UID    string `json:"uid"`
	Page   string `json:"page"`
	Stream string `json:"stream"`
}

// bringUp does what brings the uid's desktop, shows how that goes, and prints where the desktop is.
func bringUp(c *cli.Context, sage *client.Client, uid string, do func(context.Context) (api.StartResponse, error)) (place, error) {
	end := followStart(c.Context, sage, uid, newDisplay(c.App.ErrWriter))
	started, err := do(c.Context)
	switch {
	case c.Context.Err() != nil:
		end("not waited for")
		return place{}, fmt.Errorf("not waited for: the start goes on, \"sage stop %s\" ends it", uid)
	case err != nil:
		end("failed")
		return place{}, withLog(err)
	}
	end("ready")
	at := place{started.UID, sage.Page(started.UID), sage.Stream(started.URL)}
	return at, show(c, at, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "uid     %s\npage    %s\nstream  %s\n", at.UID, at.Page, at.Stream)
		return err
	})
}

// withLog adds the last lines of a desktop that did not come up.
func withLog(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Reason == nil || len(refused.Reason.Log) == 0 {
		return err
	}
	return fmt.Errorf("%w; the last lines of its log:\n  %s", err, strings.Join(refused.Reason.Log, "\n  "))
}

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

// phaseWords says what a desktop that comes up, or the next one of its uid, waits
// for; nothing of another one.
func phaseWords(d api.Desktop) string {
	if d.State == string(session.Stopping) {
		return "the one before it goes away"
	}
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
