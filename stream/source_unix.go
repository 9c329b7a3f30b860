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
	case *line:
		return c.raw
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
	call := "read"
	if s.full && s.pipes != nil {
		s.pipe = s.pipes.get()
	}
	if s.pipe != nil {
		call = "splice"
		s.n, s.err = s.pipe.fill(int(fd), s.limit)
	} else {
		s.buf = s.buffers.get()
		s.n, s.err = again(func() (int, error) { return syscall.Read(int(fd), (*s.buf)[headRoom:headRoom+s.limit]) })
	}
	if s.err == syscall.EAGAIN {
		s.giveBack()
		return false
	}
	if s.err != nil {
		s.n, s.err = 0, os.NewSyscallError(call, s.err)
	}
	return true
}

// again makes a system call that a signal may interrupt.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
