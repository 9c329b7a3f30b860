//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockDir makes dir, takes it away from other accounts, and keeps other daemons out of it until unlock is called or
// the process ends, however it ends.
func lockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w: make it writable or set SAGE_DATA_DIR", err)
	}
	if err := keepPrivate(dir); err != nil {
		return nil, fmt.Errorf("data directory: %w: it holds the settings of all desktops, choose another one with SAGE_DATA_DIR", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w: make it writable or set SAGE_DATA_DIR", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		err = fmt.Errorf("data directory %s is used by another sage: stop that one or set SAGE_DATA_DIR: %w", dir, err)
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
