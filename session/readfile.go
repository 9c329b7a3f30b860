package session

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxFile is the largest file of the data directory that is read, in bytes. The last
// picture of a desktop has maxKept pixels, with at most 8 bytes for each in the PNG.
const maxFile = 16 << 20

// readFile reads a file of the data directory like os.ReadFile. It refuses what is no
// regular file, since a named pipe would block for ever (open(2), fifo(7)), and
// files larger than maxFile.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file: remove it")}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes: remove it", maxFile)}
	}
	return data, err
}
