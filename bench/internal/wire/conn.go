//go:build linux

// Package wire is the viewer's end of a connection, plain TCP or WebSocket (RFC 6455), made to cost next to nothing:
// bytes are lent out of the one buffer they were read into, nothing is copied and no byte is looked at.
//
// It is for measuring against servers that are known: a message's fragments are not told apart, and what is wrong in
// a frame is not looked for.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
)

// The opcodes of RFC 6455 section 5.2 that matter here.
const (
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// maxHead is the size of the longest head of a frame from a server, and of the longest control frame, in bytes.
const (
	maxHead    = 10
	maxControl = 125
)

// mask is the masking key of all frames: measuring needs no secret, but the work of unmasking.
const mask uint32 = 0x37fa213d

// Conn is one connection. One goroutine may read, and others may write.
type Conn struct {
	rw      io.ReadWriteCloser
	framed  bool
	buf     []byte
	pending []byte // Read, and not lent yet.
	rest    []byte // Lent to Read, and not taken yet.
	left    uint64 // Of the data frame under way.
	pings   atomic.Int64

	mu  sync.Mutex // Guards writing: who reads answers pings.
	out []byte
}

// Dial connects to address, and asks there for a WebSocket when path is not empty. What is read at once is at most
// size bytes. The connection waits in the kernel instead of in Go's poller when blocking is true: that is one system
// call less per read, and a thread for each connection that waits.
func Dial(address, path string, size int, blocking bool) (*Conn, error) {
	tcp, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &Conn{rw: tcp, buf: make([]byte, max(size, 2*(maxHead+maxControl)))}
	if blocking {
		if c.rw, err = block(tcp.(*net.TCPConn)); err != nil {
			return nil, errors.Join(err, tcp.Close())
		}
	}
	if path != "" {
		if err := c.upgrade(address, path); err != nil {
			return nil, errors.Join(fmt.Errorf("websocket to %s%s: %w", address, path, err), c.Close())
		}
	}
	return c, nil
}

// Close closes the connection, without a word.
func (c *Conn) Close() error { return c.rw.Close() }

// Pings gives how many pings were answered.
func (c *Conn) Pings() int64 { return c.pings.Load() }

// Next waits for bytes and lends them until the next call. It gives io.EOF when the peer has ended.
func (c *Conn) Next() ([]byte, error) {
	if b := c.rest; len(b) > 0 {
		c.rest = nil
		return b, nil
	}
	for {
		if len(c.pending) == 0 {
			if err := c.fill(0); err != nil {
				return nil, err
			}
		}
		b := c.pending
		if !c.framed {
			c.pending = nil
			return b, nil
		}
		if c.left > 0 {
			n := min(c.left, uint64(len(b)))
			c.left -= n
			c.pending = b[n:]
			return b[:n], nil
		}
		if err := c.frame(); err != nil {
			return nil, err
		}
	}
}

// Read is Next for those who want a certain number of bytes.
func (c *Conn) Read(p []byte) (int, error) {
	b, err := c.Next()
	if err != nil {
		return 0, err
	}
	n := copy(p, b)
	c.rest = b[n:]
	return n, nil
}

// Write sends b, as one message where there are messages.
func (c *Conn) Write(b []byte) (int, error) {
	if !c.framed {
		return c.rw.Write(b)
	}
	if err := c.send(opBinary, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// fill reads more behind the first keep pending bytes, which it moves to the front.
func (c *Conn) fill(keep int) error {
	copy(c.buf, c.pending[:keep])
	n, err := c.rw.Read(c.buf[keep:])
	c.pending = c.buf[:keep+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// need waits until n bytes are pending.
func (c *Conn) need(n int) error {
	for len(c.pending) < n {
		if err := c.fill(len(c.pending)); err != nil {
			return err
		}
	}
	return nil
}

// frame takes the head of the next frame, and all of a control frame.
func (c *Conn) frame() error {
	if err := c.need(2); err != nil {
		return err
	}
	opcode, size, head := c.pending[0]&0xf, uint64(c.pending[1]), 2
	switch size {
	case 126:
		head += 2
		if err := c.need(head); err != nil {
			return err
		}
		size = uint64(binary.BigEndian.Uint16(c.pending[2:]))
	case 127:
		head += 8
		if err := c.need(head); err != nil {
			return err
		}
		size = binary.BigEndian.Uint64(c.pending[2:])
	}
	if opcode < opClose {
		c.pending, c.left = c.pending[head:], size
		return nil
	}
	if size > maxControl {
		return fmt.Errorf("control frame %d of %d bytes", opcode, size)
	}
	if err := c.need(head + int(size)); err != nil {
		return err
	}
	body := c.pending[head : head+int(size)]
	c.pending = c.pending[head+int(size):]
	switch opcode {
	case opClose:
		return io.EOF
	case opPing:
		c.pings.Add(1)
		return c.send(opPong, body)
	}
	return nil
}

// send writes one frame.
func (c *Conn) send(opcode byte, b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := append(c.out[:0], 0x80|opcode)
	switch n := len(b); {
	case n <= maxControl:
		out = append(out, 0x80|byte(n))
	case n <= math.MaxUint16:
		out = append(out, 0x80|126)
		out = binary.BigEndian.AppendUint16(out, uint16(n))
	default:
		out = append(out, 0x80|127)
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	out = binary.BigEndian.AppendUint32(out, mask)
	for i, v := range b {
		out = append(out, v^byte(mask>>(24-8*(i&3))))
	}
	c.out = out
	_, err := c.rw.Write(out)
	return err
}
