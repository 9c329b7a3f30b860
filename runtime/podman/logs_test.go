package podman

import "testing"

// TestLastLines: of logs with and without an end of the last line.
func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		log   string
		lines int
		want  string
	}{
		{"", 2, ""},
		{"\n", 2, "\n"},
		{"one\ntwo\nthree\n", 2, "two\nthree\n"},
		{"one\ntwo\nthree\n", 3, "one\ntwo\nthree\n"},
		{"one\ntwo\nthree\n", 4, "one\ntwo\nthree\n"},
		{"one\ntwo\nthr", 1, "thr"},
		{"one\n\n\n", 2, "\n\n"},
		{"\none\n", 2, "\none\n"},
	} {
		if got := lastLines([]byte(c.log), c.lines); string(got) != c.want {
			t.Errorf("the last %d lines of %q are %q, want %q", c.lines, c.log, got, c.want)
		}
	}
}
