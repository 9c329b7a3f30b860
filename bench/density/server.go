//go:build linux

package main

import (
	"fmt"
	"io"
	"net"

	"sage/bench/internal/proc"
)

const (
	serverMode = "server"
	// greeting is all that the stand-in says (RFC 6143 section 7.1.1).
	greeting = "RFB 003.008\n"
)

// serveQuietly is the process of a stand-in for VNC servers: it greets everyone and says nothing more.
func serveQuietly(in io.Reader, out io.Writer) error {
	listener, err := proc.Serve(func(conn net.Conn) {
		defer conn.Close()
		if _, err := io.WriteString(conn, greeting); err == nil {
			_, _ = conn.Read(make([]byte, 1))
		}
	})
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Fprintln(out, listener.Addr())
	_, err = io.Copy(io.Discard, in)
	return err
}
