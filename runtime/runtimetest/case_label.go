package runtimetest

import (
	"slices"
	"strings"
	"testing"

	"sage/runtime"
)

// oddLabels are values that a careless encoding would spoil.
func oddLabels() map[string]string {
	return map[string]string{
		"io.sage.test.empty":   "",
		"io.sage.test.unicode": "Grüße, 世界 🖥",
		"io.sage.test.quotes":  `"double" 'single' \back\ {"json": true}`,
		"io.sage.test.equals":  "a=b=c,d=e",
		"io.sage.test.space":   " between two spaces ",
		"io.sage.test.lines":   "one\ntwo\tthree",
		"io.sage.test.star":    "a*[b]?.+",
		"io.sage.test.percent": "100%&key=%41",
		"io.sage.test.long":    strings.Repeat("0123456789abcdef", 128),
	}
}

func labelCases() []testCase {
	return []testCase{
		{"labels come back as they were given", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			for key, value := range oddLabels() {
				spec.Labels[key] = value
			}
			id := s.create(t, spec)
			found := s.list(t, map[string]string{LabelTest: s.unique})
			if len(found) != 1 {
				t.Fatalf("list gives %d containers, want 1", len(found))
			}
			for key, value := range spec.Labels {
				if got, there := found[0].Labels[key]; !there || got != value {
					t.Errorf("list: label %s is %q (%t), want %q", key, got, there, value)
				}
				if got, there := s.inspect(t, id).Labels[key]; !there || got != value {
					t.Errorf("inspect: label %s is %q (%t), want %q", key, got, there, value)
				}
			}
		}},
		{"containers are found by odd labels", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			for key, value := range oddLabels() {
				spec.Labels[key] = value
			}
			id := s.create(t, spec)
			for key, value := range oddLabels() {
				found := s.list(t, map[string]string{LabelTest: s.unique, key: value})
				if len(found) != 1 || found[0].ID != id {
					t.Errorf("%s=%q finds %d containers, want the one", key, value, len(found))
				}
			}
		}},
		{"list compares labels as a whole", testListExact},
		{"list without labels is invalid", func(t *testing.T, s *scope) {
			_, err := s.rt.List(t.Context(), runtime.Selector{})
			s.want(t, err, "list", runtime.ErrInvalid)
			_, err = s.rt.List(t.Context(), runtime.Selector{Labels: map[string]string{}})
			s.want(t, err, "list", runtime.ErrInvalid)
		}},
		{"list shows containers in every state", func(t *testing.T, s *scope) {
			created := s.create(t, s.spec(t))
			running := s.start(t, s.spec(t))
			stopped := s.start(t, s.spec(t))
			if err := s.rt.Stop(t.Context(), stopped, 0); err != nil {
				t.Fatal(err)
			}
			want := map[runtime.ID]runtime.State{
				created: runtime.StateCreated,
				running: runtime.StateRunning,
				stopped: runtime.StateExited,
			}
			found := s.list(t, map[string]string{LabelTest: s.unique})
			if len(found) != len(want) {
				t.Errorf("list gives %d containers, want %d", len(found), len(want))
			}
			for _, c := range found {
				if c.State != want[c.ID] {
					t.Errorf("list gives state %q, want %q", c.State, want[c.ID])
				}
			}
		}},
	}
}

func testListExact(t *testing.T, s *scope) {
	const uid, app = "io.sage.test.uid", "io.sage.test.app"
	make := func(labels map[string]string) runtime.ID {
		spec := s.spec(t)
		for key, value := range labels {
			spec.Labels[key] = value
		}
		return s.create(t, spec)
	}
	alice := make(map[string]string{uid: "alice-2f9c", app: "firefox"})
	other := make(map[string]string{uid: "alice-2f9c", app: "blender"})
	short := make(map[string]string{uid: "alice"})
	empty := make(map[string]string{uid: ""})
	make(map[string]string{uid + ".more": "alice-2f9c"})
	make(nil)

	cases := []struct {
		name   string
		labels map[string]string
		want   []runtime.ID
	}{
		{"whole value", map[string]string{uid: "alice-2f9c"}, []runtime.ID{alice, other}},
		{"prefix that is a value", map[string]string{uid: "alice"}, []runtime.ID{short}},
		{"prefix that is none", map[string]string{uid: "alice-2f9"}, nil},
		{"suffix", map[string]string{uid: "2f9c"}, nil},
		{"other case", map[string]string{uid: "Alice"}, nil},
		{"star", map[string]string{uid: "*"}, nil},
		{"regular expression", map[string]string{uid: ".*"}, nil},
		{"pattern", map[string]string{uid: "alice*"}, nil},
		{"empty value", map[string]string{uid: ""}, []runtime.ID{empty}},
		{"both labels", map[string]string{uid: "alice-2f9c", app: "firefox"}, []runtime.ID{alice}},
		{"one of two labels", map[string]string{uid: "alice", app: "firefox"}, nil},
		{"prefix of a key", map[string]string{"io.sage.test.ui": "alice-2f9c"}, nil},
		{"pattern as key", map[string]string{"io.sage.test.*": "alice-2f9c"}, nil},
	}
	for _, c := range cases {
		labels := map[string]string{LabelTest: s.unique}
		for key, value := range c.labels {
			labels[key] = value
		}
		var got []runtime.ID
		for _, found := range s.list(t, labels) {
			got = append(got, found.ID)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v finds %d containers, want %d", c.name, c.labels, len(got), len(c.want))
		}
	}
}
