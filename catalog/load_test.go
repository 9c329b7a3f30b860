package catalog_test

import (
	"errors"
	"fmt"
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
	if err := os.WriteFile(large, []byte(strings.Repeat("#\n", 1<<23+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"no such file", filepath.Join(dir, "none.yaml"), "cannot be read: no such file"},
		{"directory", dir, "not a regular file"},
		{"too large", large, "larger than 16MiB"},
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
		{"deep in flow style", strings.Repeat("{a: ", 100) + "b" + strings.Repeat("}", 100), "levels deep"},
		{"deep by flow pairs", "[" + strings.Repeat("a: ", 100) + "b]", "levels deep"},
		{"deep in a mix", func() string {
			var b strings.Builder
			for i := range 40 {
				b.WriteString(strings.Repeat("  ", i) + "a:\n")
			}
			return b.String() + strings.Repeat("  ", 40) + "a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40)
		}(), "levels deep"},
		{"deep by lists in the column of their key", func() string {
			var b strings.Builder
			for i := range 80 {
				b.WriteString(strings.Repeat("  ", i) + "a:\n" + strings.Repeat("  ", i) + "-\n")
			}
			return b.String()
		}(), "levels deep"},
		{"deep by keys in one line", strings.Repeat("a: ", 1000), "levels deep"},
		{"deep by question marks", strings.Repeat("? ", 1000), "levels deep"},
		{"deep by tags", strings.Repeat("!a ", 1000), "levels deep"},
		{"deep by anchors", strings.Repeat("&a ", 1000), "levels deep"},
		{"many keys", func() string {
			var b strings.Builder
			for i := range 1 << 17 {
				fmt.Fprintf(&b, "k%d: v\n", i)
			}
			return b.String()
		}(), "more than 10000 keys"},
		{"many documents", strings.Repeat("---\na: b\n", 1<<17), "more than 16 documents"},
		{"billion laughs", func() string {
			var b strings.Builder
			b.WriteString("a0: &a0 [lol, lol]\n")
			for i := range 60 {
				fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
			}
			return b.String()
		}(), "unknown key"},
		{"very long list", strings.Repeat("-\n", 1<<20), "words and signs"},
		{"many texts", strings.Repeat(`""`, 1<<20), "words and signs"},
		{"too large", strings.Repeat("#", 1<<24+1), "larger than 16MiB"},
		{"nothing", "", "is empty"},
		{"null", "null\n", "is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalog.Parse("x.yaml", []byte(tt.data), t.TempDir())
			if got := problems(t, err); len(got) != 1 && tt.want != "unknown key" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want one problem with %q", err, tt.want)
			}
		})
	}
}

// manyApps returns a catalog of so many apps in plain block style.
func manyApps(apps int) string {
	var b strings.Builder
	b.WriteString("version: 1\napps:\n")
	for i := range apps {
		fmt.Fprintf(&b, `  # An app.
  - id: app-%d
    title: App %d
    description: "Several
      lines."
    image: localhost/a/b:%d
    endpoints:
      - name: vnc
        port: 5900
        protocol: rfb
      - {name: audio, port: 4714, protocol: tcp}
    env:
      A: "1"
    environment:
      - name: SIZE
        default: 1280x800
        pattern: "[1-9][0-9]{2,3}x[1-9][0-9]{2,3}"
    limits:
      cpus: 1
      memory: 1g
    aliases: [alias-%d]
`, i, i, i, i)
	}
	return b.String()
}

// TestManyApps: the number of apps does not count as depth.
func TestManyApps(t *testing.T) {
	for _, apps := range []int{1, 12, 100, 10_000} {
		c, err := catalog.Parse("x.yaml", []byte(manyApps(apps)), t.TempDir())
		if err != nil {
			t.Fatalf("%d apps: %.500v", apps, err)
		}
		if len(c.Apps) != apps || c.Apps[apps-1].Aliases[0] != fmt.Sprintf("alias-%d", apps-1) {
			t.Errorf("%d apps of %d", len(c.Apps), apps)
		}
		if changes := catalog.Diff(c, c); len(changes) > 0 {
			t.Errorf("%d changes", len(changes))
		}
	}
}

// TestManyMistakes: a large catalog in which everything is wrong is refused like a small one.
func TestManyMistakes(t *testing.T) {
	const apps = 10_000
	for name, old := range map[string][2]string{
		"unknown keys":           {"    title:", "    tittle:"},
		"unknown build.from":     {"    env:\n", "    build:\n      context: .\n      containerfile: load_test.go\n      from: nothing\n    env:\n"},
		"the same id everywhere": {"app-", "app # "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalog.Parse("x.yaml", []byte(strings.ReplaceAll(manyApps(apps), old[0], old[1])), ".")
			if got := problems(t, err); len(got) < apps-1 {
				t.Errorf("%d problems", len(got))
			}
		})
	}
}

// TestDepthOfNeighbours: a deep place says nothing of the next one, in any style.
func TestDepthOfNeighbours(t *testing.T) {
	deep := "  - id: a%d\n    title: t\n    image: localhost/a:1\n    endpoints:\n    - name: vnc\n      port: 1\n      protocol: rfb\n    x: " +
		strings.Repeat("[", 50) + strings.Repeat("]", 50) + "\n"
	var b strings.Builder
	b.WriteString("version: 1\napps:\n")
	for i := range 200 {
		fmt.Fprintf(&b, deep, i)
	}
	_, err := catalog.Parse("x.yaml", []byte(b.String()), t.TempDir())
	if got := problems(t, err); len(got) != 200 || strings.Contains(err.Error(), "levels deep") {
		t.Errorf("%d problems: %.300v", len(got), err)
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
