package daemon

import (
	"fmt"
	"io/fs"
	"os"
)

// CheckNotShared fails where every account of this host may write the file or the
// directory at path, and so decide on what Sage does. What is not there is left to
// who reads it.
func CheckNotShared(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // Whoever reads it says so with more words.
	}
	if mode := info.Mode(); mode.Perm()&0o002 != 0 && (mode.IsRegular() || mode.IsDir()) {
		return fmt.Errorf("every account of this host may write %s (mode %04o): chmod o-w %s", path, mode.Perm(), path)
	}
	return nil
}

// keepPrivate takes a directory away from all accounts but its owner and group.
func keepPrivate(dir string) error {
	if err := CheckNotShared(dir); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	const others fs.FileMode = 0o007
	if info.Mode()&others == 0 {
		return nil
	}
	if err := os.Chmod(dir, info.Mode().Perm()&^others); err != nil {
		return fmt.Errorf("every account of this host may read it: %w", err)
	}
	return nil
}
