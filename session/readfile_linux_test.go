package session

import (
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestStrangeFilesAreRefused: a file of the data directory that is no regular one,
// or a huge one, is an error and never a wait or a use of memory without a bound.
func TestStrangeFilesAreRefused(t *testing.T) {
	reads := map[string]func(dir string, s *store) error{
		"key":                 func(dir string, _ *store) error { _, _, err := loadKey(dir); return err },
		"sessions/alice.json": func(_ string, s *store) error { _, _, err := s.load("alice"); return err },
		"desktops/alice.json": func(_ string, s *store) error { _, _, err := s.loadRecord("alice"); return err },
		"pictures/alice.png":  func(_ string, s *store) error { _, _, err := s.loadPicture("alice"); return err },
	}
	makes := map[string]func(path string) error{
		"named pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":  func(path string) error { return os.Mkdir(path, 0o700) },
		"huge file": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, maxFile+1)
		},
	}
	for name, read := range reads {
		for what, put := range makes {
			t.Run(name+" is a "+what, func(t *testing.T) {
				dir := t.TempDir()
				s, err := newStore(dir, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				if err := put(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- read(dir, s) }()
				select {
				case err := <-done:
					if err == nil {
						t.Error("it was taken")
					}
				case <-time.After(5 * time.Second):
					t.Fatal("it was waited for")
				}
			})
		}
	}
}
