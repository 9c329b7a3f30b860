//go:build unix && !linux

package stream

import "syscall"

// send writes what the socket fd takes at once.
func send(fd int, b []byte, _ bool) (int, error) { return syscall.Write(fd, b) }
