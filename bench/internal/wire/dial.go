//go:build linux

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// maxAnswer bounds the answer to a handshake, in bytes.
const maxAnswer = 4096

// upgrade asks for a WebSocket that carries binary messages (RFC 6455 section 4.1).
func (c *Conn) upgrade(host, path string) error {
	_, err := fmt.Fprintf(c.rw, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n",
		path, host)
	if err != nil {
		return err
	}
	var answer []byte
	for {
		if len(c.pending) == 0 {
			if err := c.fill(0); err != nil {
				return err
			}
		}
		// Byte by byte, since frames may follow at once.
		answer = append(answer, c.pending[0])
		c.pending = c.pending[1:]
		if bytes.HasSuffix(answer, []byte("\r\n\r\n")) {
			break
		}
		if len(answer) > maxAnswer {
			return errors.New("endless answer to the handshake")
		}
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) {
		line, _, _ := bytes.Cut(answer, []byte("\r\n"))
		return fmt.Errorf("it answered %q", line)
	}
	c.framed = true
	return nil
}

// blocking is a connection whose reads and writes wait in the kernel.
type blocking struct{ file *os.File }

// block takes the connection over.
func block(tcp *net.TCPConn) (*blocking, error) {
	file, err := tcp.File()
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(int(file.Fd()), false); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &blocking{file}, tcp.Close()
}

func (b *blocking) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(b.file.Fd()), p)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case n == 0 && err == nil:
			return 0, io.EOF
		}
		return max(n, 0), err
	}
}

func (b *blocking) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := unix.Write(int(b.file.Fd()), p[written:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return written, err
		}
		written += max(n, 0)
	}
	return written, nil
}

func (b *blocking) Close() error { return b.file.Close() }
