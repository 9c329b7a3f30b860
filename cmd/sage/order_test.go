package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestFlagsFirst(t *testing.T) {
	for _, tc := range []struct{ name, args, want string }{
		{"bool after argument", "stop u --purge", "stop --purge u"},
		{"value after argument", "run firefox --uid u", "run --uid u firefox"},
		{"value with equals sign", "run firefox --uid=u", "run --uid=u firefox"},
		{"short", "ls x -o json", "ls -o json x"},
		{"bool does not take the next", "stop --purge u", "stop --purge u"},
		{"subcommand", "catalog validate f --help", "catalog validate --help f"},
		{"alias", "list --output json", "list --output json"},
		{"after two hyphens", "stop u -- --purge", "stop u -- --purge"},
		{"flag that lacks its value", "run firefox --uid", "run --uid firefox"},
		{"unknown flag", "stop u --nope", "stop --nope u"},
		{"hyphen alone", "stop - --purge", "stop --purge -"},
		{"unknown command", "nope --x y", "--x nope y"},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			app := newApp(&bytes.Buffer{}, &bytes.Buffer{})
			got := flagsFirst(app, append([]string{"sage"}, strings.Fields(tc.args)...))
			if want := append([]string{"sage"}, strings.Fields(tc.want)...); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
