package stream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/stream"
)

// porter is a guard that wants a word of both sides, lets no exclamation mark through, and takes vowels away from what
// the desktop says.
type porter struct {
	client  io.ReadWriter
	desktop net.Conn
	filters bool
	left    *atomic.Int64
}

func (p *porter) Handshake(context.Context) error {
	for _, side := range []io.ReadWriter{p.client, p.desktop} {
		word := make([]byte, 5)
		if _, err := io.ReadFull(side, word); err != nil {
			return err
		}
		if string(word) != "hello" {
			return errors.New("it is not greeted")
		}
		if _, err := io.WriteString(side, "welcome"); err != nil {
			return err
		}
	}
	return nil
}

func (p *porter) FromClient(b []byte) error {
	if bytes.ContainsRune(b, '!') {
		return errors.New("no shouting")
	}
	_, err := p.desktop.Write(b)
	return err
}

func (p *porter) FiltersServer() bool { return p.filters }

func (p *porter) ToClient(b []byte) ([]byte, error) {
	if bytes.ContainsRune(b, '?') {
		return nil, errors.New("no questions")
	}
	return bytes.ReplaceAll(b, []byte("o"), nil), nil
}

func (p *porter) Leave() { p.left.Add(1) }

// desktop greets, waits for its welcome and echoes then.
func desktop(conn io.ReadWriter) {
	_, _ = io.WriteString(conn, "hello")
	if _, err := io.ReadFull(conn, make([]byte, len("welcome"))); err == nil {
		_, _ = io.Copy(conn, conn)
	}
}

// newGuarded gives a desk with a porter. left counts the clients of whom it knows that they have left.
func newGuarded(t *testing.T, protocol string, filters bool) (d *desk, left *atomic.Int64) {
	t.Helper()
	addr := ""
	if speaksWebSocket(protocol) {
		addr = listenWebSocket(t, func(ws *websocket.Conn, _ *http.Request) {
			desktop(websocket.NetConn(context.Background(), ws, websocket.MessageBinary))
		})
	} else {
		addr = listen(t, func(conn *net.TCPConn) { desktop(conn) })
	}
	d, left = newDesk(t, protocol, addr), new(atomic.Int64)
	d.guard = func(client io.ReadWriter, desktop net.Conn) stream.Guard {
		return &porter{client: client, desktop: desktop, filters: filters, left: left}
	}
	return d, left
}

func TestGuard(t *testing.T) {
	for _, protocol := range []string{stream.ProtocolRFB, stream.ProtocolMessages} {
		for name, tt := range map[string]struct {
			filters bool
			say     []string // One message each.
			hear    string   // All that comes, in any number of messages.
			code    websocket.StatusCode
			reason  string
		}{
			"is passed":             {false, []string{"hello", "one", "two"}, "welcomeonetwo", websocket.StatusNormalClosure, ""},
			"says more than hello":  {false, []string{"hel", "loone", "two"}, "welcomeonetwo", websocket.StatusNormalClosure, ""},
			"is filtered":           {true, []string{"hello", "one", "two"}, "welcomenetw", websocket.StatusNormalClosure, ""},
			"is not let in":         {false, []string{"howdy"}, "", websocket.StatusInternalError, "it is not greeted"},
			"breaks a rule":         {false, []string{"hello", "one!"}, "welcome", websocket.StatusPolicyViolation, "no shouting"},
			"breaks it at once":     {false, []string{"helloone!"}, "welcome", websocket.StatusPolicyViolation, "no shouting"},
			"is told what is amiss": {true, []string{"hello", "one?"}, "welcome", websocket.StatusPolicyViolation, "no questions"},
		} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				noLeaks(t)
				d, left := newGuarded(t, protocol, tt.filters)
				b := newBench(t, d, stream.Options{})
				ws := b.open(t)
				for _, message := range tt.say {
					if err := ws.Write(t.Context(), websocket.MessageBinary, []byte(message)); err != nil {
						t.Fatal(err)
					}
				}
				var heard strings.Builder
				for heard.Len() < len(tt.hear) {
					_, message, err := ws.Read(t.Context())
					if err != nil {
						t.Fatalf("heard %q, then %v", heard.String(), err)
					}
					heard.Write(message)
				}
				if heard.String() != tt.hear {
					t.Errorf("heard %q, want %q", heard.String(), tt.hear)
				}
				if tt.code == websocket.StatusNormalClosure {
					_ = ws.Close(tt.code, "")
				} else if _, ce := closeError(t, ws); ce.Code != tt.code || ce.Reason != tt.reason {
					t.Errorf("closed with %d %q, want %d %q", ce.Code, ce.Reason, tt.code, tt.reason)
				}
				b.ended(t, 1)
				if n := left.Load(); n != 1 {
					t.Errorf("left %d times", n)
				}
			})
		}
	}
}

// TestGuardWaitsInVain for a client that says nothing, and for one that goes.
func TestGuardWaitsInVain(t *testing.T) {
	for name, leaves := range map[string]bool{"silent": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			d, left := newGuarded(t, stream.ProtocolRFB, false)
			patient := 50 * time.Millisecond
			if leaves {
				patient = time.Hour
			}
			b := newBench(t, d, stream.Options{DialTimeout: patient, CloseTimeout: 50 * time.Millisecond})
			conn, _, _ := b.raw(t, "", masked(2, "hel"))
			if leaves {
				_ = conn.Close()
			}
			b.ended(t, 1)
			if n := left.Load(); n != 1 {
				t.Errorf("left %d times", n)
			}
		})
	}
}
