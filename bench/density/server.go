//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
)

const (
	serverMode = "server"
	// greeting is all that the stand-in says (RFC 6143 section 7.1.1).
	greeting = "RFB 003.008\n"
)

// serveQuietly is the process of a stand-in for VNC servers: it greets everyone and says nothing more.
func serveQuietly(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := io.WriteString(conn, greeting); err == nil {
					_, _ = conn.Read(make([]byte, 1))
				}
			}()
		}
	}()
	fmt.Fprintln(out, listener.Addr())
	_, err = io.Copy(io.Discard, in)
	return err
}
