package stream_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"

	"sage/stream"
)

// TestPulledCable lets a client's packets get lost, both ways and without a
// word, as a pulled cable or a sleeping laptop does. While it is silent and
// alive it stays; when it is gone it is released.
func TestPulledCable(t *testing.T) {
	wire := newCable(t)
	for _, protocol := range []string{stream.ProtocolRFB, stream.ProtocolWebSocket} {
		for _, chatty := range []bool{false, true} {
			name := protocol + "/silent desktop"
			if chatty {
				name = protocol + "/chatty desktop"
			}
			t.Run(name, func(t *testing.T) {
				b := newBench(t, newTalker(t, protocol, chatty), stream.Options{PingInterval: time.Second, PingTimeout: 2 * time.Second})
				client := &http.Client{Transport: &http.Transport{DialContext: wire.dial}}
				ws, _, err := websocket.Dial(t.Context(), "ws://"+wire.serve(t, b.handler)+"/stream/good/vnc", &websocket.DialOptions{HTTPClient: client})
				if err != nil {
					t.Fatal(err)
				}
				defer ws.CloseNow()
				ws.SetReadLimit(-1)
				gone := make(chan error, 1)
				go func() { // The client answers pings and says nothing.
					for {
						if _, _, err := ws.Read(context.Background()); err != nil {
							gone <- err
							return
						}
					}
				}()
				select {
				case <-b.releases:
					t.Fatal("a silent client that lives was released")
				case err := <-gone:
					t.Fatalf("a silent client that lives was cut: %v", err)
				case <-time.After(8 * time.Second): // Several times what a dead one gets.
				}
				wire.pull(t)
				defer wire.mend(t)
				b.ended(t, 1)
			})
		}
	}
}

// newTalker gives a desk whose endpoint says nothing, or sends all the time.
func newTalker(t *testing.T, protocol string, chatty bool) *desk {
	chunk := make([]byte, 16<<10)
	pause := 5 * time.Millisecond
	if protocol == stream.ProtocolWebSocket {
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
	id := os.Getpid() % 100000
	c := &cable{namespace: fmt.Sprintf("sage-%d", id), here: "198.18.77.1", there: "198.18.77.2"}
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

// dial connects from the other end. A socket stays in the namespace that it was
// made in; the thread that made it is thrown away.
func (c *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	type dialled struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialled)
	go func() {
		runtime.LockOSThread()
		namespace, err := os.Open("/var/run/netns/" + c.namespace)
		if err == nil {
			defer namespace.Close()
			err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		}
		var conn net.Conn
		if err == nil {
			var dialer net.Dialer
			conn, err = dialer.DialContext(ctx, network, addr)
		}
		done <- dialled{conn, err}
	}()
	d := <-done
	return d.conn, d.err
}
