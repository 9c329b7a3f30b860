package session

import (
	"bufio"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	// envSaver makes this test program save settings into the directory that it
	// names until it is killed.
	envSaver = "SAGE_TEST_SAVER"
	// crashes is how often the saver is killed.
	crashes = 40
)

// TestSaverUntilKilled is no test but the process that
// TestKilledInTheMiddleOfASave kills.
func TestSaverUntilKilled(t *testing.T) {
	dir := os.Getenv(envSaver)
	if dir == "" {
		t.Skip("it runs in a process of its own")
	}
	s, err := newStore(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for {
		for _, app := range []string{"old", "new"} {
			if err := s.save(bulky(app)); err != nil {
				t.Fatal(err)
			}
			os.Stdout.WriteString("saved\n")
		}
	}
}

// bulky are settings that take more than one write to the disk.
func bulky(app string) settings {
	return settings{UID: "alice", App: app, Env: map[string]any{"WHO": strings.Repeat(app, 50_000)}}
}

// TestKilledInTheMiddleOfASave: whenever the process dies, the file is the old
// one or the new one, and nothing lies beside it.
func TestKilledInTheMiddleOfASave(t *testing.T) {
	dir := t.TempDir()
	for i := range crashes {
		saveUntil(t, dir, 1+i%7)
		s, err := newStore(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.load("alice")
		if !ok || err != nil {
			t.Fatalf("crash %d: %v, %v", i, ok, err)
		}
		if want := bulky(got.App); got.App != "old" && got.App != "new" || got.Env["WHO"] != want.Env["WHO"] {
			t.Fatalf("crash %d: the file is a mixture of two", i)
		}
		if files := s.files(t); len(files) != 1 {
			t.Fatalf("crash %d: files %q", i, files)
		}
	}
}

// saveUntil runs the saver and kills it after it has saved so often, at any
// instant of the save that follows.
func saveUntil(t *testing.T, dir string, saves int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSaverUntilKilled$")
	cmd.Env = append(os.Environ(), envSaver+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for range saves {
		if line, err := lines.ReadString('\n'); err != nil || line != "saved\n" {
			t.Fatalf("the saver said %q, %v", line, err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, lines) // To the end of the pipe: nobody writes any more.
	_ = cmd.Wait()                    // It was killed.
}

// TestUnfinishedSavesAreCleared when the next daemon begins, and nothing else
// is.
func TestUnfinishedSavesAreCleared(t *testing.T) {
	s := openStore(t)
	if err := s.save(settings{UID: "alice", App: "desktop"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".alice.json123", ".bob.json4"} {
		if err := os.WriteFile(s.dir+"/"+name, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.path("carol")+".damaged", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeUnfinished(s.dir); err != nil {
		t.Fatal(err)
	}
	if got := s.files(t); len(got) != 2 || got[0] != "alice.json" || got[1] != "carol.json.damaged" {
		t.Errorf("files: %q", got)
	}
}
