package stream

import "golang.org/x/sys/unix"

// send writes what the socket fd takes at once; more says that other bytes follow at once, which are to go out in the
// same packet (MSG_MORE, send(2)).
func send(fd int, b []byte, more bool) (int, error) {
	if !more {
		return unix.Write(fd, b)
	}
	return unix.SendmsgN(fd, b, nil, nil, unix.MSG_MORE)
}
