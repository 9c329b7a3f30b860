package stream_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"

	"sage/stream"
)

// TestPulledCable lets clients' packets get lost, both ways and without a word,
// as a pulled cable or a sleeping laptop does. While clients are silent and alive
// they stay; when they are gone they are released, and not before their time.
func TestPulledCable(t *testing.T) {
	noLeaks(t)
	wire := newCable(t)
	opts := stream.Options{PingInterval: time.Second, PingTimeout: 2 * time.Second}
	clients := map[string]*farClient{}
	for _, protocol := range protocols() {
		clients[protocol+" silent desktop"] = wire.connect(t, newBench(t, newTalker(t, protocol, false), opts))
		clients[protocol+" chatty desktop"] = wire.connect(t, newBench(t, newTalker(t, protocol, true), opts))
	}
	time.Sleep(8 * time.Second) // Several times what a dead one gets.
	for name, c := range clients {
		if n := c.released.Load(); n != 0 {
			t.Fatalf("%s: a silent client that lives was released", name)
		}
		if len(c.cut) > 0 {
			t.Fatalf("%s: a silent client that lives was cut: %v", name, <-c.cut)
		}
	}
	// The ping, or the probe, that got no answer may have been sent a moment before.
	soonest := time.Now().Add(opts.PingTimeout / 2)
	wire.pull(t)
	defer wire.mend(t)
	var released sync.WaitGroup
	for name, c := range clients {
		released.Go(func() {
			select {
			case <-c.releases:
			case <-time.After(time.Minute):
				t.Errorf("%s: a client that is gone was not released", name)
				return
			}
			if time.Now().Before(soonest) {
				t.Errorf("%s: the client was released before its time", name)
			}
		})
	}
	released.Wait()
	for name, c := range clients {
		if n := c.gateway.Active(); n != 0 {
			t.Errorf("%s: %d streams are active", name, n)
		}
	}
}

// TestPulledCableOfADesktop has the desktops at the other end: an engine may be on another host.
func TestPulledCableOfADesktop(t *testing.T) {
	noLeaks(t)
	wire := newCable(t)
	opts := stream.Options{PingInterval: time.Second, PingTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second}
	benches := map[string]*bench{}
	for _, protocol := range protocols() {
		for name, chatty := range map[string]bool{" silent client": false, " chatty client": true} {
			b := newBench(t, newDesk(t, protocol, wire.farDesktop(t, speaksWebSocket(protocol))), opts)
			ws := b.open(t)
			ctx := ws.CloseRead(context.Background())
			var writing sync.WaitGroup
			writing.Go(func() {
				for chatty && ws.Write(ctx, websocket.MessageBinary, []byte("x")) == nil {
					time.Sleep(50 * time.Millisecond)
				}
			})
			t.Cleanup(func() {
				_ = ws.CloseNow()
				writing.Wait()
			})
			benches[protocol+name] = b
		}
	}
	time.Sleep(8 * time.Second) // Several times what a dead one gets.
	for name, b := range benches {
		if n := b.released.Load(); n != 0 {
			t.Fatalf("%s: the stream of a desktop that lives was released", name)
		}
	}
	wire.pull(t)
	defer wire.mend(t)
	deadline := time.After(time.Minute)
	for name, b := range benches {
		select {
		case <-b.releases:
		case <-deadline:
			t.Errorf("%s: the stream of a desktop that is gone was not released", name)
		}
	}
}

// farDesktop serves an endpoint at the other end that takes what comes and says nothing.
func (c *cable) farDesktop(t *testing.T, webSocket bool) (addr string) {
	t.Helper()
	var ln net.Listener
	err := c.atTheOtherEnd(func() (err error) {
		ln, err = net.Listen("tcp", c.there+":0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	gone := make(chan struct{})
	t.Cleanup(func() {
		_ = ln.Close()
		close(gone)
		all.Wait()
	})
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				<-gone
				_ = conn.Close()
			})
			all.Go(func() {
				if webSocket {
					r, err := http.ReadRequest(bufio.NewReader(conn))
					if err != nil {
						t.Error(err)
						return
					}
					sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
						base64.StdEncoding.EncodeToString(sum[:]))
				}
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	})
	return ln.Addr().String()
}

// farClient is at the other end of the cable. It answers pings and says nothing.
type farClient struct {
	*bench
	cut chan error // How its stream ended.
}

// connect opens a stream through the cable.
func (c *cable) connect(t *testing.T, b *bench) *farClient {
	t.Helper()
	web := &http.Client{Transport: &http.Transport{DialContext: c.dial}}
	ws, _, err := websocket.Dial(t.Context(), "ws://"+c.serve(t, b.handler)+"/stream/good/vnc", &websocket.DialOptions{HTTPClient: web})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	far := &farClient{bench: b, cut: make(chan error, 1)}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			if _, _, err := ws.Read(context.Background()); err != nil {
				far.cut <- err
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = ws.CloseNow()
		reading.Wait()
	})
	return far
}

// newTalker gives a desk whose endpoint says nothing, or sends all the time.
func newTalker(t *testing.T, protocol string, chatty bool) *desk {
	chunk := make([]byte, 16<<10)
	pause := 5 * time.Millisecond
	if speaksWebSocket(protocol) {
		return newDesk(t, protocol, listenWebSocket(t, func(ws *websocket.Conn, _ *http.Request) {
			ctx := ws.CloseRead(context.Background())
			for chatty && ws.Write(ctx, websocket.MessageBinary, chunk) == nil {
				time.Sleep(pause)
			}
			<-ctx.Done()
		}))
	}
	return newDesk(t, protocol, listen(t, func(conn *net.TCPConn) {
		for chatty {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
			time.Sleep(pause)
		}
		quiet(conn)
	}))
}

// cable is a network namespace, and a pair of devices that leads to it.
type cable struct{ namespace, here, there string }

// newCable lays one that is gone after the test.
func newCable(t *testing.T) *cable {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, program := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("a cable cannot be pulled here: %v", err)
		}
	}
	// Of the block for tests of devices (RFC 2544), four addresses per process.
	id := os.Getpid() % (1 << 15)
	address := func(n int) string {
		n += id * 4
		return fmt.Sprintf("198.%d.%d.%d", 18+n>>16, n>>8&0xff, n&0xff)
	}
	c := &cable{namespace: fmt.Sprintf("sage-%d", id), here: address(1), there: address(2)}
	device := fmt.Sprintf("sg%d", id)
	c.run(t, "ip", "netns", "add", c.namespace)
	t.Cleanup(func() { c.run(t, "ip", "netns", "del", c.namespace) })
	c.run(t, "ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", c.namespace)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", device).Run() }) // It goes with the namespace, sooner or later.
	c.run(t, "ip", "addr", "add", c.here+"/30", "dev", device)
	c.run(t, "ip", "link", "set", device, "up")
	c.inside(t, "ip", "addr", "add", c.there+"/30", "dev", "eth0")
	c.inside(t, "ip", "link", "set", "eth0", "up")
	return c
}

func (c *cable) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// inside runs a program in the namespace.
func (c *cable) inside(t *testing.T, args ...string) {
	t.Helper()
	c.run(t, append([]string{"ip", "netns", "exec", c.namespace}, args...)...)
}

// pull lets every packet get lost, mend none.
func (c *cable) pull(t *testing.T) { c.rules(t, "-A") }
func (c *cable) mend(t *testing.T) { c.rules(t, "-D") }

func (c *cable) rules(t *testing.T, change string) {
	t.Helper()
	for _, chain := range []string{"INPUT", "OUTPUT"} {
		c.inside(t, "iptables", "-w", change, chain, "-j", "DROP")
	}
}

// serve serves on this end of the cable.
func (c *cable) serve(t *testing.T, handler http.Handler) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", c.here+":0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	return ln.Addr().String()
}

// dial connects from the other end.
func (c *cable) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = c.atTheOtherEnd(func() (err error) {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// atTheOtherEnd calls f there. A socket stays in the namespace that it was made in; the thread that made it is thrown
// away.
func (c *cable) atTheOtherEnd(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		namespace, err := os.Open("/var/run/netns/" + c.namespace)
		if err == nil {
			defer namespace.Close()
			err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}
