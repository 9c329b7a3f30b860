package catalog_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sage/catalog"
)

const oneApp = `version: 1
apps:
  - id: one
    title: One
    image: localhost/x/one:1
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *catalog.Live {
	t.Helper()
	l, err := catalog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestReloadIsAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.yaml")
	if _, err := catalog.Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write(t, path, oneApp)
	l := open(t, path)
	first := l.Current()
	if s := l.Status(); s.Generation != 1 || s.LoadedAt.IsZero() || s.Err != nil {
		t.Errorf("status %+v", s)
	}

	write(t, path, strings.Replace(oneApp, "title: One", "title: Two", 1)+"    nonsense: 1\n")
	if _, err := l.Reload(); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("bad file: %v", err)
	}
	if l.Current() != first {
		t.Error("a bad file replaced the good one")
	}
	if s := l.Status(); s.Generation != 1 || s.Err == nil || s.FailedAt.IsZero() {
		t.Errorf("status after a bad file %+v", s)
	}

	write(t, path, strings.Replace(oneApp, "title: One", "title: Two", 1))
	changes, err := l.Reload()
	if err != nil || len(changes) != 1 || changes[0].String() != `~ apps[one].title: "One" -> "Two"` {
		t.Errorf("changes %v, %v", changes, err)
	}
	if s := l.Status(); s.Generation != 2 || s.Err != nil || l.Current().Apps[0].Title != "Two" {
		t.Errorf("status after a good file %+v", s)
	}
}

// TestWatch: every way in which a file gets another content is noticed, and what changes nothing is not.
func TestWatch(t *testing.T) {
	replace := func(t *testing.T, path, text string) {
		write(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		link   bool
		change func(t *testing.T, path, text string)
	}{
		{"in place", false, write},
		{"atomic", false, replace},
		{"removed and made again", false, func(t *testing.T, path, text string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, text)
		}},
		{"link led elsewhere", true, func(t *testing.T, path, text string) {
			other := filepath.Join(t.TempDir(), "other.yaml")
			write(t, other, text)
			if err := os.Symlink(other, path+".new"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}},
		{"behind a link", true, func(t *testing.T, path, text string) {
			target, err := filepath.EvalSymlinks(path)
			if err != nil {
				t.Fatal(err)
			}
			replace(t, target, text)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "catalog.yaml")
			if test.link {
				target := filepath.Join(t.TempDir(), "target.yaml")
				write(t, target, oneApp)
				if err := os.Symlink(target, path); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, path, oneApp)
			}
			l := open(t, path)
			seen := watch(t, l)
			// Twice: a file that was replaced is followed still.
			for _, title := range []string{"Two", "Three"} {
				test.change(t, path, strings.Replace(oneApp, "title: One", "title: "+title, 1))
				for l.Current().Apps[0].Title != title {
					select {
					case <-seen: // A reader may come in the middle of a change, and again after it.
						_, _ = l.Reload()
					case <-time.After(time.Minute):
						t.Fatalf("%s was not noticed", title)
					}
				}
			}
			if _, err := l.Reload(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWatchSeesWhatHappenedBefore: a change between loading and watching is not lost.
func TestWatchSeesWhatHappenedBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.yaml")
	write(t, path, oneApp)
	l := open(t, path)
	write(t, path, oneApp+"    description: New.\n")
	select {
	case <-watch(t, l):
	case <-time.After(time.Minute):
		t.Fatal("not noticed")
	}
}

func TestWatchWithoutDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "catalog.yaml")
	write(t, path, oneApp)
	l := open(t, path)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Watch(t.Context(), func() {}); !errors.Is(err, catalog.ErrNotWatched) {
		t.Errorf("got %v", err)
	}
}

// watch tells of every change until the test ends.
func watch(t *testing.T, l *catalog.Live) <-chan struct{} {
	t.Helper()
	seen := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Watch(ctx, func() { seen <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return seen
}
