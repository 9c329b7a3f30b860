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

// TestTerminalObeysNoDesktop: whatever a desktop or a daemon writes, a terminal
// gets text; what is no terminal gets it as it was.
func TestTerminalObeysNoDesktop(t *testing.T) {
	const evil = "a\x1b]0;title\x07b\x1b[2Jc\u009b31md\u202eelcyr\u2066e\rf\x7f\x00\n"
	standIn(t, map[string]answer{
		"GET /api/vm/alice/logs?tail=200":       {200, evil},
		"GET /api/vm/alice/log-stream?tail=200": {200, evil},
		"GET /api/vm":                           {200, `{"desktops":[{"uid":"a\u001b[2J","app":"b\u202e\n","state":"ready"}]}`},
		"GET /api/catalog":                      {200, `{"apps":[{"id":"a","title":"t\u001b[2J\u009b\u202e","aliases":["x\ty"]}]}`},
		"GET /api/vm/bob/logs?tail=200":         {404, `{"code":"not_running","detail":"no\u001b[2J \u202e"}`},
		"POST":                                  {502, `{"code":"start_failed","detail":"no","reason":{"log":["\u001b[2J\u202e"]}}`},
		"GET /api/vm/carol/events":              {200, "event: desktop\ndata: {\"uid\":\"carol\",\"phase\":\"image\",\"image\":{\"text\":\"\u001b[2J\u202e\",\"layers\":[]}}\n\n"},
	})
	for _, args := range [][]string{
		{"logs", "alice"}, {"logs", "-f", "alice"}, {"ls"}, {"ls", "-o", "json"}, {"apps"}, {"logs", "bob"}, {"run", "--uid", "carol", "--open=false", "x"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			screen, terminal := openTerminal(t)
			seen := make(chan string, 1)
			go func() {
				var text strings.Builder
				buf := make([]byte, 4096)
				for {
					n, err := screen.Read(buf)
					text.Write(buf[:n])
					if err != nil { // EIO: the terminal has been closed.
						seen <- text.String()
						return
					}
				}
			}()
			run(t.Context(), append([]string{"sage"}, args...), terminal, terminal)
			terminal.Close()
			text := <-seen
			// Bars draw with sequences of their own, which clear no screen.
			for _, bad := range []string{"\x1b]", "\x1b[2J", "\u009b", "\u202e", "\u2066", "e\rf", "\x7f", "\x00"} {
				if strings.Contains(text, bad) {
					t.Errorf("%q is in %q", bad, text)
				}
			}
			if !strings.Contains(text, "\ufffd") {
				t.Errorf("nothing was replaced in %q", text)
			}
		})
	}
	if got := sage(t, "logs", "alice"); got.stdout != evil {
		t.Errorf("a pipe gets %q", got.stdout)
	}
}

// TestTerminalJoinsPieces: characters and line ends that come in pieces stay what
// they are.
func TestTerminalJoinsPieces(t *testing.T) {
	const text = "gr\u00fc\u00dfe \u2603 \U0001f600\r\nnext\r\n"
	screen, file := openTerminal(t)
	w := asTerminal(file)
	for _, b := range []byte(text) {
		if _, err := w.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewReader(screen)
	for _, want := range []string{"gr\u00fc\u00dfe \u2603 \U0001f600\r\n", "next\r\n"} {
		if line, err := lines.ReadString('\n'); err != nil || line != want {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
	}
}
