// Package images_test tries the programs of the images that run without one.
package images_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sage/rfb/rfbtest"
)

// patience bounds the wait for what must happen; it is no measure of anything.
const patience = 30 * time.Second

// listen runs sound-listener with a program that says something and then stays until its client has gone.
func listen(t *testing.T, secret string) (address string) {
	t.Helper()
	python := rfbtest.Need(t, "python3", "python3")
	if _, err := os.ReadFile("firefox/sound-listener"); err != nil { // What the test depends on, for its cache.
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = ln.Addr().String()
	_ = ln.Close()
	program := filepath.Join(t.TempDir(), "stream")
	script := "#!/bin/sh\n[ -z \"${SAGE_VNC_PASSWORD:-}\" ] || echo leaked\necho music\nwhile sleep 0.05; do echo more || exit; done\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(python, "-IS", "firefox/sound-listener", port, program)
	cmd.Env = append(os.Environ(), "SAGE_VNC_PASSWORD="+secret)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return address
		}
		if time.Since(began) > patience {
			t.Fatal(err)
		}
	}
}

// hear connects, sends something and gives the connection.
func hear(t *testing.T, address string, parts ...string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	for _, p := range parts {
		if _, err := io.WriteString(conn, p); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// begins gives the first bytes that come; none when the connection is closed without any.
func begins(conn net.Conn) string {
	b := make([]byte, 6)
	n, _ := io.ReadFull(conn, b)
	return string(b[:n])
}

func TestSoundNeedsTheSecret(t *testing.T) {
	address := listen(t, "sesame42")
	for _, parts := range [][]string{{"sesame42\n"}, {"sesame", "42\n"}, {"sesame42\nGET /"}} {
		if got := begins(hear(t, address, parts...)); got != "music\n" {
			t.Errorf("%q: got %q", parts, got)
		}
	}
	for _, said := range []string{"sesame43\n", "\n", "sesame42 \n", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 1000)} {
		if got := begins(hear(t, address, said)); got != "" {
			t.Errorf("%q: got %q", said, got)
		}
	}
	if got := begins(hear(t, address)); got != "" {
		t.Errorf("who says nothing gets %q", got)
	}
}

func TestSoundWithoutASecret(t *testing.T) {
	if got := begins(hear(t, listen(t, ""))); got != "music\n" {
		t.Errorf("got %q", got)
	}
}

// TestStrangersDoNotSilenceTheOwner holds many silent connections open, and all streams but one.
func TestStrangersDoNotSilenceTheOwner(t *testing.T) {
	address := listen(t, "sesame42")
	strangers := func() {
		for i := range 200 {
			hear(t, address, strconv.Itoa(i))
		}
	}
	strangers()
	var heard []net.Conn
	for i := range 16 {
		conn := hear(t, address, "sesame42\n")
		if got := begins(conn); got != "music\n" {
			t.Fatalf("stream %d: got %q", i, got)
		}
		heard = append(heard, conn)
	}
	strangers()
	if got := begins(hear(t, address, "sesame42\n")); got != "" {
		t.Errorf("a stream too many begins with %q", got)
	}
	_ = heard[0].Close()
	for began := time.Now(); begins(hear(t, address, "sesame42\n")) != "music\n"; {
		if time.Since(began) > patience {
			t.Fatal(fmt.Errorf("the place of a client that has gone is not free"))
		}
	}
}
