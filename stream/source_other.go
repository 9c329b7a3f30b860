//go:build !unix

package stream

import (
	"net"
	"syscall"
)

// waitable knows no way to wait without a buffer here.
func waitable(net.Conn) syscall.RawConn { return nil }

// tryRead is never called here.
func (s *source) tryRead(uintptr) bool { return true }
