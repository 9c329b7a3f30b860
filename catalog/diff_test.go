package catalog_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sage/catalog"
)

func parse(t *testing.T, text string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse("test.yaml", []byte(text), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const before = `version: 1
apps:
  - id: kept
    title: Kept
    image: localhost/x/kept:1
    endpoints: [{name: vnc, port: 5900, protocol: rfb}, {name: audio, port: 4713, protocol: tcp}]
    env: {GONE: "1", OTHER: a}
    environment:
      - {name: PASSWORD, secret: true, default: tiger}
      - {name: SIZE, default: small}
    home: {path: /home/sage}
    tmpfs: [{path: /tmp, size: 64m}]
    timeouts: {idle: 1m}
    aliases: [k]
  - id: gone
    title: Gone
    image: localhost/x/gone:1
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
`

const after = `version: 1
apps:
  - id: fresh
    title: Fresh
    image: localhost/x/fresh:1
    endpoints: [{name: vnc, port: 5900, protocol: rfb}]
  - id: kept
    title: Kept
    image: localhost/x/kept:2
    endpoints: [{name: audio, port: 4714, protocol: tcp}, {name: vnc, port: 5900, protocol: rfb}]
    env: {OTHER: b, NEW: "2"}
    environment:
      - {name: PASSWORD, secret: true, default: lion}
      - {name: SIZE}
    limits: {memory: 512m}
    tmpfs: [{path: /tmp, size: 64m}, {path: /run}]
    timeouts: {idle: 1m, start: 30s}
    aliases: [k, q]
`

func TestDiff(t *testing.T) {
	var got []string
	for _, c := range catalog.Diff(parse(t, before), parse(t, after)) {
		got = append(got, c.String())
	}
	want := []string{
		`~ apps[kept].image: "localhost/x/kept:1" -> "localhost/x/kept:2"`,
		`~ apps[kept].endpoints[audio].port: 4713 -> 4714`,
		`- apps[kept].env[GONE]: "1"`,
		`~ apps[kept].env[OTHER]: "a" -> "b"`,
		`+ apps[kept].env[NEW]: "2"`,
		`~ apps[kept].environment[PASSWORD].default: (secret) -> (secret)`,
		`- apps[kept].environment[SIZE].default: "small"`,
		`~ apps[kept].limits.memory: 2GiB -> 512MiB`,
		`- apps[kept].home: {path: "/home/sage"}`,
		`+ apps[kept].tmpfs[/run]`,
		`+ apps[kept].timeouts.start: 30s`,
		`~ apps[kept].aliases: ["k"] -> ["k", "q"]`,
		`- apps[gone]`,
		`+ apps[fresh]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if same := catalog.Diff(parse(t, before), parse(t, before)); same == nil || len(same) != 0 {
		t.Errorf("a catalog differs from itself: %v", same)
	}
}

// TestFingerprint: it follows what a container is made of, and nothing else.
func TestFingerprint(t *testing.T) {
	of := func(text string) string {
		a, _ := parse(t, text).App("kept")
		return a.Fingerprint()
	}
	was := of(before)
	if len(was) != 32 || was != of(before) {
		t.Errorf("fingerprints %s and %s", was, of(before))
	}
	for _, words := range [][2]string{{"title: Kept", "title: Other"}, {"aliases: [k]", "aliases: [k, q]"}, {"default: small}", "title: Size, default: small}"}} {
		if of(strings.Replace(before, words[0], words[1], 1)) != was {
			t.Errorf("%s is another desktop", words[1])
		}
	}
	for _, words := range [][2]string{
		{"kept:1", "kept:2"}, {"port: 5900", "port: 5901"}, {"OTHER: a", "OTHER: b"}, {"default: small", "default: big"}, {"size: 64m", "size: 65m"},
		{"/home/sage", "/home/x"}, {"idle: 1m", "idle: 2m"}, {"aliases: [k]", "limits: {cpus: 1}"}, {"aliases: [k]", "read_only: false"},
	} {
		if of(strings.Replace(before, words[0], words[1], 1)) == was {
			t.Errorf("%s is the same desktop", words[1])
		}
	}
	full := load(t, filepath.Join("testdata", "good-full.yaml"))
	if full.Apps[0].Fingerprint() == full.Apps[1].Fingerprint() {
		t.Error("two apps are one")
	}
}
