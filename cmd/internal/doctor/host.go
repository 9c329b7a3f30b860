package doctor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Host is the machine that is looked at.
type Host struct {
	// Root is the directory that stands for "/" where the kernel's and the system's
	// files are read.
	Root string
	// UID is the user who would start the daemon.
	UID int
	// Statfs tells how much room there is at a path, which is not below Root.
	Statfs func(path string) (Space, error)
}

// Space is the room on a file system: bytes and files that this user may still
// write, and the number of files that there may be, zero for any number.
type Space struct{ Bytes, FreeFiles, Files uint64 }

// ThisHost is the machine that the program runs on.
func ThisHost() Host { return Host{Root: "/", UID: os.Getuid(), Statfs: statfs} }

func statfs(path string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Space{}, err
	}
	return Space{Bytes: s.Bavail * uint64(s.Bsize), FreeFiles: s.Ffree, Files: s.Files}, nil
}

func (h Host) path(name string) string { return filepath.Join(h.Root, name) }

func (h Host) has(name string) bool {
	_, err := os.Stat(h.path(name))
	return err == nil
}

// text is what a small file says, or "".
func (h Host) text(name string) string {
	data, err := os.ReadFile(h.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// number is what a file of the kernel's settings says; a setting that this
// kernel does not have is not known.
func (h Host) number(name string) (n int, known bool) {
	n, err := strconv.Atoi(h.text(name))
	return n, err == nil
}
