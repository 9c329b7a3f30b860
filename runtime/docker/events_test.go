package docker

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"

	"sage/runtime"
)

// told makes an answer one that the client notices as it would a real one.
func told(answer transport) transport {
	return func(r *http.Request) (*http.Response, error) {
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotFirstResponseByte != nil {
			trace.GotFirstResponseByte()
		}
		return answer(r)
	}
}

func TestEvents(t *testing.T) {
	id := strings.Repeat("ab", 32)
	var body strings.Builder
	for _, action := range []string{"create", "start", "exec_die: true", "kill", "oom", "die", "stop", "destroy"} {
		body.WriteString(`{"Type":"container","Action":"` + action + `","Actor":{"ID":"` + id + `","Attributes":{"name":"one.a"}}}`)
		body.WriteString(`{"Type":"container","Action":"` + action + `","Actor":{"ID":"` + id + `","Attributes":{"name":"onexa"}}}`)
	}
	rt := answered(t, map[string]transport{"/events": told(reply(http.StatusOK, body.String()))})
	var heard []runtime.Event
	err := rt.Events(t.Context(), runtime.Selector{NamePrefix: "one."}, func(e runtime.Event) { heard = append(heard, e) })
	var known *runtime.Error
	if !errors.As(err, &known) || known.Kind != runtime.ErrUnavailable {
		t.Errorf("the end of the stream is %v", err)
	}
	want := []runtime.Event{{Kind: runtime.EventListening}}
	for _, kind := range []runtime.EventKind{runtime.EventStarted, runtime.EventExited, runtime.EventRemoved} {
		want = append(want, runtime.Event{Kind: kind, ID: runtime.ID(id), Name: "one.a"})
	}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %+v, want %+v", heard, want)
	}
}

func TestEventsWithoutAStream(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer transport
		heard  int // The sign of an answer is taken for an open stream.
	}{
		{"cut", breaks(io.EOF), 0},
		{"broken", told(reply(http.StatusInternalServerError, `{"message":"broken"}`)), 1},
		{"forbidden", told(reply(http.StatusForbidden, `{"message":"a proxy says no"}`)), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			rt := answered(t, map[string]transport{"/events": c.answer})
			heard := 0
			err := rt.Events(t.Context(), runtime.Selector{NamePrefix: "one"}, func(runtime.Event) { heard++ })
			var known *runtime.Error
			if !errors.As(err, &known) || known.Kind != runtime.ErrUnavailable || known.Op != "events" {
				t.Errorf("got %v", err)
			}
			if heard != c.heard {
				t.Errorf("heard %d events, want %d", heard, c.heard)
			}
		})
	}
}
