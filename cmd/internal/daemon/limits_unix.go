//go:build unix

package daemon

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sage/httpapi"
)

// maxConnections bounds the connections that wait for an answer or for a request,
// however many files there may be: each may hold the head of a request.
const maxConnections = 8192

// fileLimit returns how many files this process may have open (getrlimit(2)). The
// Go runtime has raised it as far as it may be.
func fileLimit() (uint64, error) {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	return files.Cur, nil
}

// limits divides the files that this process may have open: a quarter for
// connections, each stream is two of them (the client's and the desktop's), and a
// sixteenth, at least 64, is left for the engine, the settings and the log.
func limits(files uint64, perAddress int) httpapi.Limits {
	files = min(files, 1<<24)
	reserved := max(64, files/16)
	connections := min(files/4, maxConnections)
	streams := uint64(1)
	if files > connections+reserved+2 {
		streams = (files - connections - reserved) / 2
	}
	return httpapi.Limits{Connections: max(1, int(connections)), Streams: int(streams), PerAddress: perAddress}
}
