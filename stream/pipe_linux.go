package stream

import (
	"golang.org/x/sys/unix"
)

const (
	// pipeSize is what a pipe may hold, in bytes.
	pipeSize = 256 << 10
	// pipesKept is how many pipes wait for their next use. Each is two files.
	pipesKept = 4
)

// pipe is a pipe of the kernel that bytes go through on their way from one socket to another, without being copied
// (splice(2)).
type pipe struct {
	r, w int
	held int // Bytes that are in it.
}

// fill takes at most limit bytes from the socket fd, 0 at its end. The pipe is empty before.
func (p *pipe) fill(fd, limit int) (int, error) {
	n, err := again(func() (int, error) {
		n, err := unix.Splice(fd, nil, p.w, nil, limit, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		return int(n), err
	})
	p.held = max(n, 0)
	return p.held, err
}

// drain gives the socket fd what it takes at once.
func (p *pipe) drain(fd int) error {
	for p.held > 0 {
		n, err := again(func() (int, error) {
			n, err := unix.Splice(p.r, nil, fd, nil, p.held, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
			return int(n), err
		})
		if err != nil {
			return err
		}
		p.held -= n
	}
	return nil
}

func (p *pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// pipes lends pipes for as long as bytes flow. It may be used by any number of goroutines.
type pipes struct{ free chan *pipe }

func newPipes() *pipes { return &pipes{free: make(chan *pipe, pipesKept)} }

// get lends an empty pipe, or nil where the system gives none.
func (p *pipes) get() *pipe {
	select {
	case v := <-p.free:
		return v
	default:
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize) // A smaller one does, too.
	return &pipe{r: fds[0], w: fds[1]}
}

// put takes a pipe back. One that is not empty is of no use any more.
func (p *pipes) put(v *pipe) {
	if v.held > 0 {
		v.close()
		return
	}
	select {
	case p.free <- v:
	default:
		v.close()
	}
}

// close ends the pipes that nobody has.
func (p *pipes) close() {
	for {
		select {
		case v := <-p.free:
			v.close()
		default:
			return
		}
	}
}
