// Package rfbtest starts real VNC servers for tests: Xtigervnc and TurboVNC's Xvnc, X servers without a screen. It knows
// nothing of Sage but that a missing program is a failure unless SAGE_TEST_ENGINES says that nothing real is to be used.
package rfbtest

import (
	"bufio"
	"context"
	"crypto/des"
	"fmt"
	"math/bits"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds the wait for what must happen; it is no measure of anything.
const patience = 30 * time.Second

// Server is a running VNC server.
type Server struct {
	// Socket is the path of the Unix socket that it listens at; empty where it listens at Address.
	Socket string
	// Address is the TCP address that it listens at; empty where it listens at Socket.
	Address string
	// Display is the X display that X clients connect to, such as ":1".
	Display string
}

// Need gives the path of a program. Where it is missing, the test fails, or is skipped when SAGE_TEST_ENGINES is none.
func Need(t testing.TB, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	missing := fmt.Sprintf("%s is missing (Debian package %s; scripts/setup.sh test installs it)", program, debianPackage)
	if os.Getenv("SAGE_TEST_ENGINES") == "none" {
		t.Skip(missing)
	}
	t.Fatal(missing)
	return ""
}

// Start runs a server of 640x480 pixels until the test ends. With a password it wants it (VncAuth), else None. More
// arguments are Xtigervnc's.
func Start(t testing.TB, password string, args ...string) *Server {
	t.Helper()
	program := Need(t, "Xtigervnc", "tigervnc-standalone-server")
	// The path of a socket is short, unlike that of a test's own directory.
	dir, err := os.MkdirTemp("", "rfb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Socket: filepath.Join(dir, "s")}
	all := []string{
		"-displayfd", "3", "-rfbunixpath", s.Socket, "-rfbport", "-1", "-geometry", "640x480", "-depth", "24", "-desktop", "test",
		"-AlwaysShared", "-nolisten", "tcp", "-SendPrimary=0", "-SetPrimary=0", "-MaxCutText=1000000",
	}
	if password == "" {
		all = append(all, "-SecurityTypes", "None")
	} else {
		file := filepath.Join(dir, "p")
		if err := os.WriteFile(file, passwordFile(password), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, "-SecurityTypes", "VncAuth", "-rfbauth", file)
	}
	s.Display = runServer(t, filepath.Join(dir, "log"), exec.Command(program, append(all, args...)...))
	return s
}

// runServer runs an X server that reports its display on file descriptor 3 (-displayfd), with its output in a file, and
// returns the display.
func runServer(t testing.TB, log string, cmd *exec.Cmd) (display string) {
	t.Helper()
	ready, report := pipe(t)
	cmd.ExtraFiles = []*os.File{report}
	output, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = output
	t.Cleanup(func() { _ = output.Close() })
	run(t, cmd)
	_ = report.Close()
	return readDisplay(t, ready, log)
}

// turboVNC is where its publisher's package puts the server.
const turboVNC = "/opt/TurboVNC/bin/Xvnc"

// StartTurboVNC runs TurboVNC's server of 640x480 pixels, without a password, until the test ends. Where TurboVNC is not
// installed, the test is skipped: no Debian package has it. More arguments are the server's.
func StartTurboVNC(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := os.Stat(turboVNC); err != nil {
		t.Skip(err)
	}
	// The port is chosen here, because the server does not report one that it chooses itself.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: ln.Addr().String()}
	_ = ln.Close()
	_, port, _ := net.SplitHostPort(s.Address)
	s.Display = runServer(t, filepath.Join(t.TempDir(), "log"), exec.Command(turboVNC, append([]string{
		"-displayfd", "3", "-rfbport", port, "-localhost", "-geometry", "640x480", "-depth", "24", "-desktop", "test",
		"-AlwaysShared", "-nolisten", "tcp", "-noreset", "-SecurityTypes", "None",
	}, args...)...))
	return s
}

// Dial opens a connection, which the test closes in the end.
func (s *Server) Dial(t testing.TB) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var d net.Dialer
	network, address := "unix", s.Socket
	if address == "" {
		network, address = "tcp", s.Address
	}
	for {
		conn, err := d.DialContext(ctx, network, address)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Run starts an X client on the server's display until the test ends and gives the lines that it prints.
func (s *Server) Run(t testing.TB, program string, args ...string) *bufio.Reader {
	t.Helper()
	r, w := pipe(t)
	start(t, s.Display, w, program, args...)
	return bufio.NewReader(r)
}

// RunOn starts an X client on any display until the test ends.
func RunOn(t testing.TB, display, program string, args ...string) *exec.Cmd {
	t.Helper()
	return start(t, display, nil, program, args...)
}

// StartXvfb runs an X server without VNC until the test ends and gives its display.
func StartXvfb(t testing.TB) (display string) {
	t.Helper()
	r, w := pipe(t)
	cmd := exec.Command(Need(t, "Xvfb", "xvfb"), "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	run(t, cmd)
	_ = w.Close()
	return readDisplay(t, r, "")
}

func start(t testing.TB, display string, out *os.File, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+display)
	if out != nil {
		cmd.Stdout = out
	}
	run(t, cmd)
	if out != nil {
		_ = out.Close()
	}
	return cmd
}

// run starts cmd and ends it with the test.
func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// readDisplay reads what -displayfd says, once an X server is ready.
func readDisplay(t testing.TB, r *os.File, log string) string {
	t.Helper()
	_ = r.SetReadDeadline(time.Now().Add(patience))
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(log)
		t.Fatalf("the X server does not start: %v\n%s", err, said)
	}
	return ":" + strings.TrimSpace(number)
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	return r, w
}

// passwordFile hides a password as VNC servers want it: encrypted with a key that everybody knows.
func passwordFile(password string) []byte {
	key := []byte{23, 82, 107, 6, 35, 78, 88, 7}
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	cipher, err := des.NewCipher(key)
	if err != nil {
		panic(err) // The key is one of DES.
	}
	var b [8]byte
	copy(b[:], password)
	cipher.Encrypt(b[:], b[:])
	return b[:]
}
