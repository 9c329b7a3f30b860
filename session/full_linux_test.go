package session

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// envFullDisk tells the test's own program that it may be limited.
const envFullDisk = "SAGE_TEST_FULL_DISK"

// TestFullDisk runs TestSavesToAFullDisk in a process of its own, since the limit
// is the process's: this one has a log of its tests to write.
func TestFullDisk(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSavesToAFullDisk$")
	cmd.Env = append(os.Environ(), envFullDisk+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSavesToAFullDisk lets the kernel refuse the bytes in the middle of a save:
// the caller is told, the old file stays, and nothing lies beside it.
func TestSavesToAFullDisk(t *testing.T) {
	if os.Getenv(envFullDisk) == "" {
		t.Skip("it runs in a process of its own")
	}
	s := openStore(t)
	if err := s.save(settings{UID: "alice", App: "desktop"}); err != nil {
		t.Fatal(err)
	}
	fileLimit(t, 4<<10, func() {
		for uid, app := range map[string]string{"alice": "new", "bob": "new"} {
			saved := bulky(app)
			saved.UID = uid
			if err := s.save(saved); !errors.Is(err, ErrStore) || !errors.Is(err, syscall.EFBIG) {
				t.Errorf("save of %s: %v", uid, err)
			}
		}
	})
	if got, ok, err := s.load("alice"); !ok || err != nil || got.App != "desktop" {
		t.Errorf("old file: %+v, %v, %v", got, ok, err)
	}
	if got := s.files(t); len(got) != 1 {
		t.Errorf("files: %q", got)
	}
}

// fileLimit runs f while no file of this process may grow beyond a size.
func fileLimit(t *testing.T, bytes uint64, f func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: bytes, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}
