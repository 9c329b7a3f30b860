package runtimetest

import (
	"context"
	"sync"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func eventCases() []testCase {
	return []testCase{
		{"events tell a container's life", testEventsOfALife},
		{"events tell an end that nobody asked for", func(t *testing.T, s *scope) {
			heard := s.listen(t, runtime.Selector{Labels: map[string]string{LabelTest: s.unique}})
			spec := s.spec(t)
			spec.Env[app.EnvMode] = app.ModeExit
			id := s.start(t, spec)
			heard.await(t, runtime.EventExited, id)
		}},
		{"events tell a kill", func(t *testing.T, s *scope) {
			heard := s.listen(t, runtime.Selector{Labels: map[string]string{LabelTest: s.unique}})
			id := s.start(t, s.spec(t))
			s.remove(t, id)
			heard.await(t, runtime.EventRemoved, id)
		}},
		{"events are of the selected containers only", testEventsSelected},
		{"events end with their context", testEventsCanceled},
		{"events without a selector are invalid", func(t *testing.T, s *scope) {
			err := s.rt.Events(t.Context(), runtime.Selector{}, func(runtime.Event) { t.Error("an event came") })
			s.want(t, err, "events", runtime.ErrInvalid)
		}},
		{"a name's beginning is no pattern", testNamePrefix},
		{"events by a name's beginning are by no pattern", testEventsNamePrefix},
	}
}

// ear is somebody who listens.
type ear struct {
	// stop ends the context of the call.
	stop context.CancelFunc
	// ended gets what the call gave.
	ended chan error

	mu     sync.Mutex
	events []runtime.Event
	// late are the events that came after the call had ended.
	late []runtime.Event
	deaf bool
}

// listen follows events until the test ends at the latest. It returns when the
// stream is open.
func (s *scope) listen(t *testing.T, selector runtime.Selector) *ear {
	t.Helper()
	return listen(t, s.rt, selector)
}

func listen(t *testing.T, rt runtime.Runtime, selector runtime.Selector) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	heard := &ear{stop: cancel, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := rt.Events(ctx, selector, heard.hear)
		heard.mu.Lock()
		heard.deaf = true
		heard.mu.Unlock()
		heard.ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		_ = inTime(t, "events", patience, func() error {
			<-done
			return nil
		})
		if t.Failed() {
			t.Logf("heard %+v", heard.all())
		}
	})
	eventually(t, "somebody listens", func() bool { return len(heard.all()) > 0 })
	if first := heard.all()[0]; first != (runtime.Event{Kind: runtime.EventListening}) {
		t.Errorf("the first event is %+v", first)
	}
	return heard
}

func (e *ear) hear(event runtime.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		e.late = append(e.late, event)
	}
	e.events = append(e.events, event)
}

// awaitEnd waits until the call has ended and gives its error.
func (e *ear) awaitEnd(t *testing.T) error {
	t.Helper()
	return inTime(t, "events", patience, func() error { return <-e.ended })
}

func (e *ear) all() []runtime.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]runtime.Event(nil), e.events...)
}

// of gives what was heard about a container, without doubles.
func (e *ear) of(id runtime.ID) []runtime.EventKind {
	var kinds []runtime.EventKind
	for _, one := range e.all() {
		if one.ID == id && (len(kinds) == 0 || kinds[len(kinds)-1] != one.Kind) {
			kinds = append(kinds, one.Kind)
		}
	}
	return kinds
}

// await waits until an event of a container has come.
func (e *ear) await(t *testing.T, kind runtime.EventKind, id runtime.ID) {
	t.Helper()
	eventually(t, "the event "+string(kind)+" has come", func() bool {
		kinds := e.of(id)
		return len(kinds) > 0 && kinds[len(kinds)-1] == kind
	})
}

func testEventsOfALife(t *testing.T, s *scope) {
	selector := runtime.Selector{Labels: map[string]string{LabelTest: s.unique}}
	first, second := s.listen(t, selector), s.listen(t, selector)
	spec := s.spec(t)
	id := s.start(t, spec)
	if err := s.rt.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	s.remove(t, id)
	for _, heard := range []*ear{first, second} {
		heard.await(t, runtime.EventRemoved, id)
		kinds := heard.of(id)
		if len(kinds) != 3 || kinds[0] != runtime.EventStarted || kinds[1] != runtime.EventExited {
			t.Errorf("heard %q", kinds)
		}
		for _, e := range heard.all()[1:] {
			if e.ID != id || e.Name != spec.Name {
				t.Errorf("event %+v, want it of %s, %s", e, spec.Name, id)
			}
		}
	}
}

func testEventsSelected(t *testing.T, s *scope) {
	chosen, other := s.spec(t), s.spec(t)
	chosen.Labels["io.sage.test.pick"], other.Labels["io.sage.test.pick"] = "a", "ab"
	byLabel := s.listen(t, runtime.Selector{Labels: map[string]string{LabelTest: s.unique, "io.sage.test.pick": "a"}})
	byName := s.listen(t, runtime.Selector{NamePrefix: chosen.Name})
	stranger := s.start(t, other)
	id := s.start(t, chosen)
	s.remove(t, stranger)
	s.remove(t, id)
	for _, heard := range []*ear{byLabel, byName} {
		heard.await(t, runtime.EventRemoved, id)
		if kinds := heard.of(stranger); len(kinds) != 0 {
			t.Errorf("heard %q of another container", kinds)
		}
	}
}

func testEventsCanceled(t *testing.T, s *scope) {
	selector := runtime.Selector{Labels: map[string]string{LabelTest: s.unique}}
	gone, stays := s.listen(t, selector), s.listen(t, selector)
	gone.stop()
	s.want(t, gone.awaitEnd(t), "events", runtime.ErrCanceled)
	id := s.start(t, s.spec(t))
	s.remove(t, id)
	stays.await(t, runtime.EventRemoved, id)
	gone.mu.Lock()
	defer gone.mu.Unlock()
	if len(gone.late) > 0 {
		t.Errorf("after the call had ended came %+v", gone.late)
	}
}

// testNamePrefix: engines take a name that is asked for as a regular expression.
func testNamePrefix(t *testing.T, s *scope) {
	dotted, other := s.spec(t), s.spec(t)
	dotted.Name, other.Name = "sage.test."+s.unique+"-1", "sage-test."+s.unique+"-2"
	id := s.create(t, dotted)
	s.create(t, other)
	for prefix, want := range map[string]int{
		"sage.test." + s.unique: 1, dotted.Name: 1, dotted.Name + "1": 0, ".test." + s.unique: 0, "sage.test.*": 0,
	} {
		found, err := s.rt.List(t.Context(), runtime.Selector{NamePrefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != want || want == 1 && found[0].ID != id {
			t.Errorf("%q finds %d containers, want %d", prefix, len(found), want)
		}
	}
	both := runtime.Selector{NamePrefix: dotted.Name, Labels: map[string]string{LabelTest: "another"}}
	if found, err := s.rt.List(t.Context(), both); err != nil || len(found) != 0 {
		t.Errorf("a name and another label find %d containers, %v", len(found), err)
	}
}

func testEventsNamePrefix(t *testing.T, s *scope) {
	dotted, other := s.spec(t), s.spec(t)
	dotted.Name, other.Name = "sage.test."+s.unique+"-1", "sage-test."+s.unique+"-2"
	heard := s.listen(t, runtime.Selector{NamePrefix: "sage.test." + s.unique})
	both := s.listen(t, runtime.Selector{
		NamePrefix: "sage.test." + s.unique, Labels: map[string]string{LabelTest: "another"},
	})
	everything := s.listen(t, runtime.Selector{Labels: map[string]string{LabelTest: s.unique}})
	stranger := s.start(t, other)
	s.remove(t, stranger)
	id := s.start(t, dotted)
	s.remove(t, id)
	heard.await(t, runtime.EventRemoved, id)
	everything.await(t, runtime.EventRemoved, stranger)
	if kinds := heard.of(stranger); len(kinds) != 0 {
		t.Errorf("heard %q of a container with another name", kinds)
	}
	if all := both.all(); len(all) != 1 {
		t.Errorf("a name and another label hear %+v", all)
	}
}
