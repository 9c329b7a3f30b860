package rfb

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// MaxSide is the largest width and height, in pixels, that a framebuffer may have.
const MaxSide = 16384

// DefaultMaxPixels is the largest area, in pixels, that a framebuffer may have unless [Options.MaxPixels] says
// otherwise: 4096x2304, so 3840x2160 fits. The picture then takes 38 MB.
const DefaultMaxPixels = 4096 * 2304

// writeTimeout bounds a single message to the server. Messages are at most a few hundred bytes long, so only a peer
// that has stopped reading meets it.
const writeTimeout = 10 * time.Second

// Options of a [Client]. The zero value is usable.
type Options struct {
	// Shared leaves other viewers connected (RFC 6143 section 7.3.1). False asks the server to drop them.
	Shared bool
	// MaxPixels is the largest framebuffer area that is accepted, in pixels; 0 means [DefaultMaxPixels]. It also bounds
	// what one [Client.Capture] or [Client.Update] costs, whatever the server sends: see [ErrLimit].
	MaxPixels int
	// Password is for servers that offer VncAuth and not None. Only its first eight bytes count, and it protects little:
	// see RFC 6143 section 7.2.2 and its section 9.
	Password string
	// Encodings of pixels that the server may use, best first: of Tight, ZRLE, CopyRect and Raw, which every server may
	// always use. Others lead to an error as soon as one is met. Default: all four, in this order, so that a picture is
	// small on the wire; each gives every pixel as it is.
	Encodings []Encoding
}

// Client is one connection to an RFB server, past the handshake.
//
// Input methods (KeyPress, Key, Type, Pointer) may be called at any time, also while another goroutine is within
// Capture or Update. Capture and Update exclude each other.
type Client struct {
	conn      net.Conn
	br        *bufio.Reader // Of budget.
	budget    *budget
	name      string
	version   Version
	maxPixels int

	wmu sync.Mutex // Guards writing to conn.

	rmu          chan struct{} // Guards reading; a channel, so that a waiting caller can leave with its context.
	frame        *image.RGBA   // Nil until pixels come for the size in force.
	spare        []byte        // The memory of an earlier frame.
	cover        *coverage     // Not nil while a Capture waits for all of the picture.
	zrleStream   inflater
	tightStreams [4]inflater
	broken       error // Set once the stream is out of step; nothing can be read afterwards.

	smu           sync.Mutex // Guards the size, which Size reads while an update is being read.
	width, height int
}

// Dial connects to an RFB server and does the handshake, see [NewClient]. ctx bounds both.
func Dial(ctx context.Context, network, address string, opts Options) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("rfb: %w", err)
	}
	return NewClient(ctx, conn, opts)
}

// NewClient does the handshake (RFC 6143 section 7.1 to 7.3), asks for 32-bit true colour (7.5.1), for the encodings of
// pixels in [Options.Encodings], for DesktopSize and for LastRect (7.5.2). ctx bounds the handshake, not the client. The client owns conn from
// here on; when the handshake fails, conn is closed.
//
// ExtendedDesktopSize is left out on purpose: TigerVNC answers the first whole-screen requests of a client that
// announced it with the screen layout alone. Cursor is left out too, so that the server paints the pointer into the
// picture. LastRect (rfbproto) is there for TurboVNC: without it, an update in Tight has more rectangles than it says.
// DesktopSize is what TurboVNC wants of all its clients, or it lets none of them change the size.
//
// Errors: [ErrNotRFB], [*SecurityError], [*PasswordError], [*RefusedError], the context's error, or what the connection
// says.
func NewClient(ctx context.Context, conn net.Conn, opts Options) (*Client, error) {
	if opts.MaxPixels <= 0 {
		opts.MaxPixels = DefaultMaxPixels
	}
	if len(opts.Encodings) == 0 {
		opts.Encodings = []Encoding{EncodingTight, EncodingZRLE, EncodingCopyRect, EncodingRaw}
	}
	budget := newBudget(conn, opts.MaxPixels)
	c := &Client{
		conn:      conn,
		br:        bufio.NewReaderSize(budget, 32<<10),
		budget:    budget,
		maxPixels: opts.MaxPixels,
		rmu:       make(chan struct{}, 1),
	}
	stop := interruptReads(ctx, conn)
	err := c.handshake(opts)
	stop()
	if err != nil {
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("rfb: handshake: %w", context.Cause(ctx))
		}
		return nil, err
	}
	return c, nil
}

// Size gives the framebuffer's size in pixels as the server last announced it.
func (c *Client) Size() (width, height int) {
	c.smu.Lock()
	defer c.smu.Unlock()
	return c.width, c.height
}

// LimitPixels lets no framebuffer be larger from now on, in pixels: a server that
// says so leads to an error. It is not called during a Capture or an Update.
func (c *Client) LimitPixels(pixels int) { c.maxPixels = pixels }

// Name gives the desktop's name as the server announced it (RFC 6143 section 7.3.2), at most 4096 bytes, unchecked.
func (c *Client) Name() string { return c.name }

// Version gives the protocol version that is spoken on this connection.
func (c *Client) Version() Version { return c.version }

// Close closes the connection. Calls that wait return with an error.
func (c *Client) Close() error { return c.conn.Close() }

// handshake goes from the greeting to the first thing the client asks for.
func (c *Client) handshake(opts Options) error {
	server := struct {
		io.Reader
		io.Writer
	}{c.br, writerFunc(c.write)}
	var err error
	if c.version, err = Authenticate(server, opts.Password); err != nil {
		return err
	}
	init, err := Initialise(server, opts.Shared)
	if err != nil {
		return err
	}
	if err := c.setSize(init.Width, init.Height); err != nil {
		return err
	}
	c.name = init.Name
	encodings := slices.Concat(opts.Encodings, []Encoding{EncodingDesktopSize, EncodingLastRect})
	return c.write(append(setPixelFormat(rgba()), setEncodings(encodings...)...))
}

// write sends one or more whole messages.
func (c *Client) write(b []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}
	if _, err := c.conn.Write(b); err != nil {
		return fmt.Errorf("rfb: write: %w", err)
	}
	return nil
}

// setSize checks and takes a framebuffer size from the server.
func (c *Client) setSize(width, height int) error {
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide || width*height > c.maxPixels {
		return fmt.Errorf("rfb: framebuffer size %dx%d is out of bounds (sides 1 to %d, at most %d pixels)",
			width, height, MaxSide, c.maxPixels)
	}
	c.smu.Lock()
	defer c.smu.Unlock()
	c.width, c.height = width, height
	return nil
}

// interruptReads makes reads on conn fail once ctx is done. The returned function ends that and leaves conn without a
// read deadline; it returns after a running interruption, so none can hit a later read.
func interruptReads(ctx context.Context, conn net.Conn) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		if !cancel() {
			<-done
			_ = conn.SetReadDeadline(time.Time{})
		}
	}
}

// writerFunc makes a writer of a function that takes all or fails.
type writerFunc func(b []byte) error

func (f writerFunc) Write(b []byte) (int, error) {
	if err := f(b); err != nil {
		return 0, err
	}
	return len(b), nil
}
