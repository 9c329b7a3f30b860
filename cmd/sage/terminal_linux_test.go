package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLogOnATerminal: people read text; that programs read JSON is a case of TestLogFormats.
func TestLogOnATerminal(t *testing.T) {
	screen, terminal := openTerminal(t)
	log, err := newLogger(terminal, "auto", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("this", "uid", "alice")
	line, err := bufio.NewReader(screen).ReadString('\n')
	if err != nil || !strings.Contains(line, "level=INFO msg=this uid=alice") {
		t.Errorf("%q, %v", line, err)
	}
}

// openTerminal makes a pseudo terminal (pty(7)): what is written to it appears on its screen.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetUint32(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return screen, terminal
}
