package docker

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sage/runtime"
)

func TestMessages(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []runtime.Progress
	}{
		{
			"layers with bytes",
			`{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"abc"}` +
				`{"status":"Pull complete","progressDetail":{},"id":"abc"}`,
			[]runtime.Progress{{Layer: "abc", Text: "Downloading", Current: 5, Total: 10}, {Layer: "abc", Text: "Pull complete", Done: true}},
		},
		{
			"seconds are not bytes",
			`{"status":"Extracting","progressDetail":{"current":3,"units":"s"},"id":"abc"}`,
			[]runtime.Progress{{Layer: "abc", Text: "Extracting"}},
		},
		{
			"lines in pieces",
			`{"stream":"Step 1"}{"stream":"/2 : FROM a\nb\n"}{"stream":"10%\r20%\r\nend"}`,
			[]runtime.Progress{{Text: "Step 1/2 : FROM a"}, {Text: "b"}, {Text: "20%"}, {Text: "end"}},
		},
		{
			"colours of the builder",
			`{"stream":"\u001b[91mwarning\n"}{"stream":"\u001b[0mnext\n"}`,
			[]runtime.Progress{{Text: "warning"}, {Text: "next"}},
		},
		{"the image's identifier is no progress", `{"aux":{"ID":"sha256:1"}}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []runtime.Progress
			err := messages(strings.NewReader(test.stream), func(p runtime.Progress) { got = append(got, p) })
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestMessagesEndWithTheReason(t *testing.T) {
	stream := strings.Repeat(`{"stream":"noise\n"}`, 50) +
		`{"stream":"E: no such package\n"}{"errorDetail":{"code":100,"message":"returned a non-zero code: 100"}}`
	err := messages(strings.NewReader(stream), func(runtime.Progress) {})
	if err == nil || !strings.Contains(err.Error(), "no such package") || !strings.Contains(err.Error(), "non-zero code") {
		t.Fatalf("got %v", err)
	}
	if strings.Count(err.Error(), "\n") > 12 {
		t.Errorf("it is too long: %v", err)
	}
}

func TestPack(t *testing.T) {
	tests := []struct {
		name          string
		ignore        map[string]string
		containerfile string
		want          []string
	}{
		{"all", nil, "Containerfile", []string{"Containerfile", "a.txt", "dir/", "dir/b.txt", "dir/link"}},
		{
			"docker's ignore file", map[string]string{".dockerignore": "# comment\ndir\n"}, "Containerfile",
			[]string{".dockerignore", "Containerfile", "a.txt"},
		},
		{
			"the neutral one comes first", map[string]string{".dockerignore": "dir", ".containerignore": "*.txt"}, "Containerfile",
			[]string{".containerignore", ".dockerignore", "Containerfile", "dir/", "dir/b.txt", "dir/link"},
		},
		{
			"exceptions", map[string]string{".dockerignore": "*\n!dir/b.txt"}, "Containerfile",
			[]string{"Containerfile", "dir/b.txt"},
		},
		{
			"an ignored containerfile is sent still", map[string]string{".dockerignore": "dir"}, "dir/b.txt",
			[]string{".dockerignore", "Containerfile", "a.txt", "dir/b.txt"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"Containerfile": "FROM scratch", "a.txt": "a", "dir/b.txt": "b"})
			write(t, dir, test.ignore)
			if err := os.Symlink("../a.txt", filepath.Join(dir, "dir", "link")); err != nil {
				t.Fatal(err)
			}
			var archive bytes.Buffer
			if err := pack(&archive, dir, test.containerfile); err != nil {
				t.Fatal(err)
			}
			var got []string
			for reader := tar.NewReader(&archive); ; {
				header, err := reader.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, header.Name)
				if header.Uid != 0 || header.Gid != 0 || header.Uname != "" || header.Gname != "" {
					t.Errorf("%s belongs to %d:%d %q:%q", header.Name, header.Uid, header.Gid, header.Uname, header.Gname)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// write makes files with their directories.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTail(t *testing.T) {
	long := strings.Repeat("x", logBytes)
	tests := []struct {
		name   string
		writes []string
		want   string
	}{
		{"nothing", nil, ""},
		{"short", []string{"a\n", "b\n"}, "a\nb\n"},
		{"exactly full", []string{long[1:], "\n"}, long[1:] + "\n"},
		{"the first line does not fit", []string{"a\n", long[1:], "\n"}, long[1:] + "\n"},
		{"cut inside a line", []string{"aaaa\n", long[2:], "\n", "b\n"}, "b\n"},
		{"one line that does not fit", []string{"a", long}, long},
		{"much", []string{long, long, long, "\nend\n"}, "end\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var last tail
			for _, text := range test.writes {
				if n, err := last.Write([]byte(text)); n != len(text) || err != nil {
					t.Fatal(n, err)
				}
			}
			if got := string(last.bytes()); got != test.want {
				t.Errorf("got %d bytes, want %d: %.20q, %.20q", len(got), len(test.want), got, test.want)
			}
		})
	}
}
