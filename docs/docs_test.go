package docs_test

import (
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are all pages for people, by their paths from here.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"*.md", "../*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(text)
		}
	}
	return texts
}

// broken says which links of a page lead nowhere. Addresses of other hosts are not asked.
func broken(page, text string, anchors func(file string) []string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
		target := m[1]
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		file, anchor, _ := strings.Cut(target, "#")
		if file == "" {
			file = page
		} else {
			file = filepath.Join(filepath.Dir(page), file)
		}
		if _, err := os.Stat(file); err != nil {
			out = append(out, target)
		} else if anchor != "" && !slices.Contains(anchors(file), anchor) {
			out = append(out, target)
		}
	}
	return out
}

// anchorsOf are the anchors of a page's headings, as forges make them.
func anchorsOf(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#{1,6} (.+)$`).FindAllStringSubmatch(text, -1) {
		words := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(words, " ", "-"))
	}
	return out
}

// TestLinks: what pages link to is there, files and headings.
func TestLinks(t *testing.T) {
	texts := pages(t)
	seen := 0
	for page, text := range texts {
		seen += strings.Count(text, "](")
		for _, link := range broken(page, text, func(file string) []string { return anchorsOf(texts[file]) }) {
			t.Errorf("%s: %s leads nowhere", page, link)
		}
	}
	if seen < 40 {
		t.Errorf("only %d links were found", seen)
	}
	wrong := "[a](nowhere.md) [b](#no-heading) [c](api.md#nothing) [d](https://example.org) [e](api.md)\n# A heading\n"
	if got := broken("x.md", wrong, func(string) []string { return anchorsOf(wrong) }); len(got) != 3 {
		t.Errorf("of links that lead nowhere %q were found", got)
	}
}

// TestMakeTargets: what pages tell people to make can be made.
func TestMakeTargets(t *testing.T) {
	text, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(text), -1) {
		targets[m[1]] = true
	}
	seen := 0
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile("(?m)(?:^ {4}|`|&& )make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
			seen++
			if !targets[m[1]] {
				t.Errorf("%s: make %s is not there", page, m[1])
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d were found", seen)
	}
}

// TestPaths: files of the project that pages name without a link are there.
func TestPaths(t *testing.T) {
	path := regexp.MustCompile("(?:^|[\\s`\"(])((?:bench|catalog|cmd|deploy|docs|e2e|httpapi|images|rfb|runtime|scripts|session|stream|web)/[\\w./-]*\\w)")
	seen := 0
	for page, text := range pages(t) {
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			seen++
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names %s: %v", page, m[1], err)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d were found", seen)
	}
}

// TestPicture: the picture is one, and small enough for a page.
func TestPicture(t *testing.T) {
	f, err := os.Open("firefox.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > 200_000 {
		t.Errorf("%v, %d bytes", err, info.Size())
	}
	config, format, err := image.DecodeConfig(f)
	if err != nil || format != "png" || config.Width < 800 || config.Height < 500 {
		t.Errorf("%s %+v, %v", format, config, err)
	}
}
