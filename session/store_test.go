package session

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func openStore(t *testing.T) *store {
	t.Helper()
	s, err := newStore(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *store) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestStoreKeepsSettings(t *testing.T) {
	s := openStore(t)
	if _, ok, err := s.load("alice"); ok || err != nil {
		t.Fatalf("before: %v, %v", ok, err)
	}
	for _, app := range []string{"desktop", "firefox"} {
		want := settings{UID: "alice", App: app, Env: map[string]any{"A": "x", "N": 1.5, "B": true}}
		if err := s.save(want); err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.load("alice")
		if !ok || err != nil {
			t.Fatalf("%v, %v", ok, err)
		}
		if got.Version != settingsVersion || got.SavedAt.IsZero() {
			t.Errorf("version %d, saved at %v", got.Version, got.SavedAt)
		}
		if got.UID != want.UID || got.App != want.App || !reflect.DeepEqual(got.Env, want.Env) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := s.files(t); !reflect.DeepEqual(got, []string{"alice.json"}) {
		t.Errorf("files: %v", got)
	}
	info, err := os.Stat(s.path("alice"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: settings may hold secrets", info.Mode(), err)
	}
	if _, ok, err := s.load("bob"); ok || err != nil {
		t.Errorf("another uid: %v, %v", ok, err)
	}
	for range 2 {
		if err := s.remove("alice"); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.files(t); len(got) != 0 {
		t.Errorf("files: %v", got)
	}
}

func TestDamagedSettingsAreMovedAside(t *testing.T) {
	tests := []struct{ name, content string }{
		{"empty", ""},
		{"cut off", `{"version":1,"uid":"alice","app":"desk`},
		{"no JSON", "\x00\x01\x02"},
		{"another type", `[]`},
		{"env of another type", `{"version":1,"uid":"alice","app":"desktop","env":"x"}`},
		{"another version", `{"version":2,"uid":"alice","app":"desktop"}`},
		{"no version", `{"uid":"alice","app":"desktop"}`},
		{"another uid", `{"version":1,"uid":"bob","app":"desktop"}`},
		{"no app", `{"version":1,"uid":"alice"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := openStore(t)
			if err := os.WriteFile(s.path("alice"), []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok, err := s.load("alice"); ok || err != nil {
				t.Fatalf("got %v, %v", ok, err)
			}
			aside, err := os.ReadFile(s.path("alice") + ".damaged")
			if err != nil || string(aside) != test.content {
				t.Errorf("aside is %q, %v", aside, err)
			}
			if err := s.save(settings{UID: "alice", App: "desktop"}); err != nil {
				t.Fatal(err)
			}
			if _, ok, err := s.load("alice"); !ok || err != nil {
				t.Errorf("after a new save: %v, %v", ok, err)
			}
		})
	}
}

// TestFailedSaveKeepsTheOldFile lets a save fail by a value that JSON cannot
// write, and by a directory where the file should be.
func TestFailedSaveKeepsTheOldFile(t *testing.T) {
	s := openStore(t)
	if err := s.save(settings{UID: "alice", App: "desktop"}); err != nil {
		t.Fatal(err)
	}
	err := s.save(settings{UID: "alice", App: "firefox", Env: map[string]any{"A": func() {}}})
	if !errors.Is(err, ErrStore) || !strings.Contains(err.Error(), "alice") {
		t.Errorf("got %v", err)
	}
	if got, ok, err := s.load("alice"); !ok || err != nil || got.App != "desktop" {
		t.Errorf("old file: %+v, %v, %v", got, ok, err)
	}

	if err := os.MkdirAll(filepath.Join(s.path("bob"), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.save(settings{UID: "bob", App: "desktop"}); !errors.Is(err, ErrStore) {
		t.Errorf("save: %v", err)
	}
	if _, _, err := s.load("bob"); !errors.Is(err, ErrStore) {
		t.Errorf("load: %v", err)
	}
	if err := s.remove("bob"); !errors.Is(err, ErrStore) {
		t.Errorf("remove: %v", err)
	}
	if got := s.files(t); !reflect.DeepEqual(got, []string{"alice.json", "bob.json"}) {
		t.Errorf("files: %v", got)
	}
}

func TestStoreWithoutDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newStore(file, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrStore) {
		t.Errorf("got %v", err)
	} else if !strings.Contains(err.Error(), "SAGE_DATA_DIR") {
		t.Errorf("%q does not say what to do", err)
	}
}
