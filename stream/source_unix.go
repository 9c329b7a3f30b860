//go:build unix

package stream

import (
	"net"
	"os"
	"syscall"
)

// waitable gives what is needed to wait for a connection without a buffer, or nil. Only the net package's own types will
// do: what wraps them may do more in its Read and Write than pass bytes on.
func waitable(conn net.Conn) syscall.RawConn {
	var sc syscall.Conn
	switch c := conn.(type) {
	case *net.TCPConn:
		sc = c
	case *net.UnixConn:
		sc = c
	default:
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// tryRead reads what there is; false means that the caller is to wait until there is more.
func (s *source) tryRead(fd uintptr) bool {
	s.buf = s.buffers.get()
	for {
		s.n, s.err = syscall.Read(int(fd), (*s.buf)[headRoom:headRoom+s.limit])
		if s.err != syscall.EINTR {
			break
		}
	}
	if s.err == syscall.EAGAIN {
		s.buffers.put(s.buf)
		s.buf = nil
		return false
	}
	if s.err != nil {
		s.n, s.err = 0, os.NewSyscallError("read", s.err)
	}
	return true
}

// tryWrite writes what the kernel takes at once.
func (s *sink) tryWrite(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), s.rest)
		if n > 0 {
			s.rest = s.rest[n:]
		}
		if err == syscall.EINTR {
			continue
		}
		return true // An error is told again by the write that follows.
	}
}
