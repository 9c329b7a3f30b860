package fake

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Greeting is what an RFB server says first (RFC 6143, section 7.1.1).
const Greeting = "RFB 003.008\n"

// Exits is a program that ends at once.
func Exits(code int) Program {
	return func(context.Context, *Process) int { return code }
}

// Idle is a program that listens on nothing until it is asked to end.
func Idle() Program {
	return func(ctx context.Context, _ *Process) int {
		<-ctx.Done()
		return 0
	}
}

// Stubborn is a program that does not end when it is asked to.
func Stubborn(program Program) Program {
	return func(ctx context.Context, p *Process) int {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		go func() {
			select {
			case <-p.Killed():
				cancel()
			case <-ctx.Done():
			}
		}()
		return program(ctx, p)
	}
}

// Serves is a program that listens on a port and handles each connection, which
// is closed after it, in a goroutine of its own. The context of a handler ends,
// and its connection is closed, when the program is asked to end.
func Serves(port uint16, handle func(ctx context.Context, conn net.Conn)) Program {
	return func(ctx context.Context, p *Process) int {
		listener, err := p.Listen(port)
		if err != nil {
			return 1
		}
		stop := context.AfterFunc(ctx, func() { listener.Close() })
		defer stop()
		var open sync.WaitGroup
		defer open.Wait()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return 0
			}
			open.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				defer stop()
				handle(ctx, conn)
			})
		}
	}
}

// VNC is a program that listens on a port like an RFB server: it says Greeting
// and then swallows whatever comes.
func VNC(port uint16) Program {
	return Serves(port, func(_ context.Context, conn net.Conn) {
		if _, err := io.WriteString(conn, Greeting); err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, conn)
	})
}

// SlowVNC is VNC that listens after a delay only.
func SlowVNC(port uint16, delay time.Duration) Program {
	return func(ctx context.Context, p *Process) int {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			return VNC(port)(ctx, p)
		case <-ctx.Done():
			return 0
		}
	}
}

// Silent is a program that listens on a port and never says anything.
func Silent(port uint16) Program {
	return Serves(port, func(_ context.Context, conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
	})
}
