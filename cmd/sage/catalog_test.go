package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sage/catalog"
)

func TestCatalogValidate(t *testing.T) {
	good, bad := "../../catalog.yaml", "../../catalog/testdata/bad-ten-mistakes.yaml"
	t.Run("good", func(t *testing.T) {
		sage(t, "catalog", "validate", good).want(t, 0, "catalog.yaml: 3 apps, no problem\n", "")
	})
	t.Run("ten mistakes", func(t *testing.T) {
		got := sage(t, "catalog", "validate", bad)
		got.want(t, exitUsage, "", bad+": 10 problems")
		places := 0
		for line := range strings.Lines(got.stderr) {
			if strings.HasPrefix(line, bad+":") && strings.Count(line, ":") > 3 {
				places++
			}
		}
		if places != 10 {
			t.Errorf("%d lines begin with a place, want 10:\n%s", places, got.stderr)
		}
	})
	t.Run("several", func(t *testing.T) {
		got := sage(t, "catalog", "validate", bad, good, filepath.Join(t.TempDir(), "none.yaml"))
		got.want(t, exitUsage, good+": ", "2 catalogs cannot be used")
		if !strings.Contains(got.stderr, "none.yaml: cannot be read") {
			t.Error(got.stderr)
		}
	})
}

func TestCatalogList(t *testing.T) {
	path, _ := threeApps(t)
	sage(t, "catalog", "list", path).want(t, 0, "top      Top      upper     localhost/t/top:1\n", "")
	var apps []listedApp
	if err := json.Unmarshal([]byte(sage(t, "catalog", "list", "--catalog", path, "-o", "json").stdout), &apps); err != nil || len(apps) != 3 || apps[1].ID != "pulled" {
		t.Errorf("%+v, %v", apps, err)
	}
	sage(t, "catalog", "list", "../../catalog/testdata/bad-id.yaml").want(t, exitUsage, "", "bad-id.yaml:")
}

func TestCatalogSchema(t *testing.T) {
	got := sage(t, "catalog", "schema")
	got.want(t, 0, `"$schema": "https://json-schema.org/draft/2020-12/schema"`, "")
	committed, err := os.ReadFile("../../catalog/catalog.schema.json")
	if err != nil || got.stdout != string(committed) {
		t.Errorf("it prints another schema: %v", err)
	}
	sage(t, "catalog", "schema", "x").want(t, exitUsage, "", `"x"`)
}

func TestCatalogDiff(t *testing.T) {
	const text = "version: 1\napps:\n  - id: one\n    title: One\n    image: localhost/x/one:1\n    endpoints: [{name: vnc, port: 5900, protocol: rfb}]\n"
	before := write(t, "old.yaml", text)
	after := write(t, "new.yaml", strings.ReplaceAll(text, "one:1", "one:2"))
	sage(t, "catalog", "diff", before, after).want(t, 0, `~ apps[one].image: "localhost/x/one:1" -> "localhost/x/one:2"`+"\n", "")
	sage(t, "catalog", "diff", before, before).want(t, 0, "no difference\n", "")
	var changes []catalog.Change
	if err := json.Unmarshal([]byte(sage(t, "catalog", "diff", before, after, "--output", "json").stdout), &changes); err != nil {
		t.Fatal(err)
	}
	if len(changes) != 1 || changes[0].Kind != catalog.Changed || changes[0].Path != "apps[one].image" {
		t.Errorf("changes %+v", changes)
	}
	sage(t, "catalog", "diff", "--output", "json", before, before).want(t, 0, "[]\n", "")
	sage(t, "catalog", "diff", before).want(t, exitUsage, "", "two files")
	sage(t, "catalog", "diff", before, "../../catalog/testdata/bad-id.yaml").want(t, exitUsage, "", "bad-id.yaml:")
}

// TestHangup: every SIGHUP reloads, and none does after the end.
func TestHangup(t *testing.T) {
	reloaded := make(chan struct{}, 10)
	stop := onHangup(func() { reloaded <- struct{}{} })
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case <-reloaded:
		case <-time.After(time.Minute):
			t.Fatal("nothing was reloaded")
		}
	}
	stop()
	if len(reloaded) > 0 {
		t.Error("reloaded too often")
	}
}
