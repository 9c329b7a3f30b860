package viewer

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sage/rfb"
)

const (
	// defaultResizeDebounce suits a window that is dragged larger: browsers ask every 100 ms meanwhile.
	defaultResizeDebounce = 150 * time.Millisecond
	// slowestRepetition is how long the holder of the size waits at most for an answer to a wish that has come true; a
	// window that is dragged meanwhile waits with it.
	slowestRepetition = 2 * time.Second
)

// Options of a [Desk]. The zero value is usable.
type Options struct {
	// Password is what the desktop's VNC server wants (VncAuth); empty where it wants none.
	Password string
	// ResizeDebounce is how long a viewer must ask for no other size until its last wish goes out, and the shortest
	// time between two answers to a viewer that does not hold the size. Default 150 ms.
	ResizeDebounce time.Duration
}

// Desk is what all viewers of one desktop share: who holds its size, and when somebody last touched it. Its methods may
// be called by any number of goroutines. It needs no closing: what it starts ends with its viewers.
type Desk struct {
	opts  Options
	born  time.Time
	input atomic.Int64 // Nanoseconds from born to the last input, plus one; 0 before the first.

	mu      sync.Mutex
	holder  *Viewer   // Nil until a viewer has asked for a size, and again when all of those have left.
	waiting []*Viewer // The others that have asked, in the order of their first wish.
	size    []byte    // The holder's last SetDesktopSize that went out; never changed in place.
	turn    int       // How often size has changed.
	joining int       // Viewers whose clients have not announced that they follow changes of size.
	doubted bool      // There were some when size went out last.
}

// NewDesk makes what the viewers of one desktop share.
func NewDesk(opts Options) *Desk {
	if opts.ResizeDebounce <= 0 {
		opts.ResizeDebounce = defaultResizeDebounce
	}
	return &Desk{opts: opts, born: time.Now()}
}

// LastInput gives when a key, the pointer (moving is enough) or a clipboard text of any viewer was last passed on; the
// zero time when there was none yet. Of a connection that is not looked at any more, everything counts.
func (d *Desk) LastInput() time.Time {
	n := d.input.Load()
	if n == 0 {
		return time.Time{}
	}
	return d.born.Add(time.Duration(n - 1))
}

// touched notes an input now.
func (d *Desk) touched() { d.input.Store(int64(time.Since(d.born)) + 1) }

// Join adds a viewer: client is its end, server its own connection to the desktop, both before the first byte. The
// viewer closes neither, and sets no bounds to how long they may take. [Viewer.Leave] must be called in the end.
func (d *Desk) Join(p Policy, client io.ReadWriter, server net.Conn) *Viewer {
	v := &Viewer{desk: d, policy: p, client: client, server: server}
	// A server that does not know ExtendedMouseButtons reads its long pointer events as short ones, and the byte that is
	// left over as the beginning of any message. So the announcement reaches no server where messages are held back.
	v.scanner.PlainPointer = !p.unrestricted()
	if !p.textOut() {
		v.walker = new(rfb.ServerScanner)
	}
	d.join(v)
	return v
}
