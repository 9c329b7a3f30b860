package viewer_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sage/rfb"
	"sage/viewer"
)

// TestMain looks for goroutines that are left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desktop is a server's end that keeps what is written to it.
type desktop struct {
	net.Conn
	mu     sync.Mutex
	writes [][]byte
	fail   error
}

func (d *desktop) SetWriteDeadline(time.Time) error { return nil }

func (d *desktop) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return 0, d.fail
	}
	d.writes = append(d.writes, bytes.Clone(b))
	return len(b), nil
}

// got gives what was written since the last call.
func (d *desktop) got() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := bytes.Join(d.writes, nil)
	d.writes = nil
	return b
}

// join adds a viewer that is past its handshake.
func join(t testing.TB, desk *viewer.Desk, p viewer.Policy) (*viewer.Viewer, *desktop) {
	t.Helper()
	d := &desktop{}
	v := desk.Join(p, nil, d)
	t.Cleanup(v.Leave)
	return v, d
}

func fromClient(t testing.TB, v *viewer.Viewer, parts ...[]byte) {
	t.Helper()
	if err := v.FromClient(bytes.Join(parts, nil)); err != nil {
		t.Fatal(err)
	}
}

func zeros(n int, head ...byte) []byte { return append(head, make([]byte, n-len(head))...) }

func announce(encodings ...rfb.Encoding) []byte {
	b := binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(len(encodings)))
	for _, e := range encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	return b
}

// cutText is a clipboard message of either side.
func cutText(kind byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, uint32(len(text))), text...)
}

// extended is a message of the extended clipboard.
func extended(kind byte, flags uint32, data string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, uint32(-int32(4+len(data))))
	return append(binary.BigEndian.AppendUint32(b, flags), data...)
}

// The actions of the extended clipboard, each for text.
const (
	caps    = 1<<24 | 1<<25 | 1<<26 | 1<<27 | 1<<28 | 1
	request = 1<<25 | 1
	peek    = 1 << 26
	notify  = 1<<27 | 1
	provide = 1<<28 | 1
)

// size is a SetDesktopSize message with one screen.
func size(w, h uint16) []byte {
	b := []byte{251, 0}
	b = binary.BigEndian.AppendUint16(b, w)
	b = binary.BigEndian.AppendUint16(b, h)
	b = append(b, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, w)
	b = binary.BigEndian.AppendUint16(b, h)
	return append(b, 0, 0, 0, 0)
}

var (
	key     = zeros(8, 4, 1)
	pointer = zeros(6, 5)
	ask     = zeros(10, 3, 1)
)

// pipe gives both ends of a connection in memory.
func pipe(t testing.TB) (here, there net.Conn) {
	here, there = net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// reads reads n bytes; what is missing at the end is an error of the test.
func reads(t testing.TB, r io.Reader, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Errorf("read %d bytes: %v", n, err)
	}
	return b
}

// requireProgram fails the test where a program that it needs is missing, unless no real thing is to be used.
func requireProgram(t testing.TB, found func() error, hint string) {
	t.Helper()
	err := found()
	if err == nil {
		return
	}
	if os.Getenv("SAGE_TEST_ENGINES") == "none" {
		t.Skipf("%v; %s", err, hint)
	}
	t.Fatalf("%v; %s", err, hint)
}
