package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"

	"sage/cmd/internal/daemon"
	"sage/runtime"
)

// The room that there should be, in bytes, and below which nothing goes any
// more; and the same in files.
const (
	// The catalog's images are about 3 GB, and homes grow.
	storageLow, storageFull = 5 * units.GiB, 256 * units.MiB
	// Settings are small, last pictures are not.
	dataLow, dataFull = 100 * units.MiB, 8 * units.MiB
	filesFull         = 200
)

// examineStorage looks at the room for images and homes, where the engine is on
// this machine.
func examineStorage(host Host, info runtime.Info) []Finding {
	if info.Storage == "" || !strings.HasPrefix(info.Host, "unix://") {
		return nil
	}
	space, err := host.Statfs(info.Storage)
	if err != nil {
		return nil // The engine may be in a virtual machine.
	}
	mend := info.Backend + " image prune removes images that nothing uses (do not prune volumes: the homes of people who are away are volumes); else give " +
		info.Storage + " more room, or another place in the engine's configuration"
	return []Finding{examineRoom("disk", "images and homes are in "+info.Storage, mend, space, storageLow, storageFull)}
}

// examineRoom judges the room of a file system.
func examineRoom(subject, what, mend string, space Space, low, full uint64) Finding {
	free := units.BytesSize(float64(space.Bytes))
	switch {
	case space.Bytes < full:
		return fail(subject, mend, "%s, where %s are free: that is full", what, free)
	case space.Files > 0 && space.FreeFiles < filesFull:
		return fail(subject, mend, "%s, where %d more files may be made: that is full", what, space.FreeFiles)
	case space.Bytes < low:
		return warn(subject, mend, "%s, where only %s are free", what, free)
	default:
		return ok(subject, "%s, where %s are free", what, free)
	}
}

// examineDataDir tests without making anything: a directory that is not there
// is made by the daemon.
func examineDataDir(host Host, dir string) []Finding {
	const mend = "make it writable for this user, or choose another one with --data-dir or SAGE_DATA_DIR"
	path, err := filepath.Abs(dir)
	if err != nil {
		return []Finding{fail("data", mend, "%s: %v", dir, err)}
	}
	there, err := existing(path)
	if err == nil {
		err = unix.Access(there, unix.W_OK|unix.X_OK)
	}
	if err != nil {
		return []Finding{fail("data", mend, "%s cannot be written to: %s: %v", dir, there, err)}
	}
	var found []Finding
	what := dir + " is writable"
	if there != path {
		what = dir + " will be made"
	} else if err := daemon.CheckNotShared(path); err != nil {
		found = append(found, fail("data", "take it away from other accounts with chmod, or choose another one with SAGE_DATA_DIR", "%v", err))
	}
	space, err := host.Statfs(there)
	if err != nil {
		return []Finding{fail("data", mend, "%s: %v", there, err)}
	}
	return append(found, examineRoom("data", what, "make room there, or choose another directory with --data-dir or SAGE_DATA_DIR", space, dataLow, dataFull))
}

// existing is path, or the nearest directory above it that exists.
func existing(path string) (string, error) {
	for there := path; ; there = filepath.Dir(there) {
		info, err := os.Stat(there)
		switch {
		case errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there):
			continue
		case err == nil && !info.IsDir():
			return there, syscall.ENOTDIR
		default:
			return there, err
		}
	}
}
