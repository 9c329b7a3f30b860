package catalog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"

	"sage/catalog"
)

func files(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return found
}

// problems returns the parts of an error of Load, and fails where they are not what the package promises.
func problems(t *testing.T, err error) []*catalog.Problem {
	t.Helper()
	merr, ok := errors.AsType[*multierror.Error](err)
	if !ok {
		t.Fatalf("got %T (%v), want a *multierror.Error", err, err)
	}
	var all []*catalog.Problem
	for _, e := range merr.Errors {
		p, ok := errors.AsType[*catalog.Problem](e)
		if !ok {
			t.Fatalf("got %T (%v), want a *catalog.Problem", e, e)
		}
		all = append(all, p)
	}
	return all
}

func TestBadFiles(t *testing.T) {
	update := os.Getenv("UPDATE_GOLDEN") != ""
	for _, file := range files(t, "bad-*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			c, err := catalog.Load(file)
			if err == nil {
				t.Fatal("the file was accepted")
			}
			if c != nil {
				t.Error("a catalog came with the error")
			}
			for _, p := range problems(t, err) {
				if p.Message == "" || p.File != file {
					t.Errorf("incomplete problem: %#v", p)
				}
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := filepath.ToSlash(err.Error()) + "\n"
			if update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func TestTenMistakesAreTenProblems(t *testing.T) {
	_, err := catalog.Load("testdata/bad-ten-mistakes.yaml")
	// The file promises ten; its golden file says which.
	if got := problems(t, err); len(got) != 10 {
		t.Errorf("got %d problems, want 10:\n%v", len(got), err)
	}
}

func TestGoodFiles(t *testing.T) {
	for _, file := range files(t, "good-*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			if _, err := catalog.Load(file); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#\n", 1<<19+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"no such file", filepath.Join(dir, "none.yaml"), "cannot be read: no such file"},
		{"directory", dir, "not a regular file"},
		{"too large", large, "larger than 1MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalog.Load(tt.path)
			if got := problems(t, err); len(got) != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want one problem with %q", err, tt.want)
			}
		})
	}
	if _, err := catalog.Load(tests[0].path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

func TestParseRefusesWhatIsNoCatalog(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"not UTF-8", "version: 1\x80\n", "not UTF-8"},
		{"deep in one line", strings.Repeat("[", 1<<16), "levels deep"},
		{"deep by dashes", strings.Repeat("- ", 1<<16), "levels deep"},
		{"deep by indentation", func() string {
			var b strings.Builder
			for i := range 200 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(), "levels deep"},
		{"very long list", strings.Repeat("-\n", 1<<19), "words and signs"},
		{"too large", strings.Repeat("#", 1<<20+1), "larger than 1MiB"},
		{"nothing", "", "is empty"},
		{"null", "null\n", "is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalog.Parse("x.yaml", []byte(tt.data), t.TempDir())
			if got := problems(t, err); len(got) != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want one problem with %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range append(files(f, "good-*.yaml"), files(f, "bad-*.yaml")...) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := catalog.Parse("x.yaml", data, "testdata")
		if err != nil {
			if c != nil || len(problems(t, err)) == 0 {
				t.Fatalf("catalog %v with error %v", c, err)
			}
			return
		}
		for i := range c.Apps {
			a := &c.Apps[i]
			if got, ok := c.App(a.ID); !ok || got != a {
				t.Errorf("%q finds another app", a.ID)
			}
			if a.Primary().Port == 0 {
				t.Errorf("%q has no primary endpoint", a.ID)
			}
			if _, err := a.Environ(nil); err != nil {
				t.Errorf("%q refuses its own defaults: %v", a.ID, err)
			}
		}
	})
}
