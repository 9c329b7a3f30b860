package viewer

import (
	"context"
	"fmt"
	"time"

	"sage/rfb"
)

// HandshakeError says that one of the two ends did not do its part of the handshake.
type HandshakeError struct {
	Client bool  // The client's fault; else the desktop's.
	Err    error // One of package rfb's errors, the context's, or what the connection says.
}

// Error says whose fault it is and what can be done about it.
func (e *HandshakeError) Error() string {
	if e.Client {
		return fmt.Sprintf("viewer: the client broke off the handshake (it must speak RFB 3.3 to 3.8, with security None): %v", e.Err)
	}
	return fmt.Sprintf("viewer: the desktop's VNC server did not let Sage in (it must offer security None, or VncAuth with the "+
		"password that it was started with): %v", e.Err)
}

// Unwrap gives what happened.
func (e *HandshakeError) Unwrap() error { return e.Err }

// Handshake goes with the server through its security, None or VncAuth, in the client's place, and with the client
// through a handshake of its own: any of the versions 3.3, 3.7 and 3.8, security None. The server is always told that the
// desktop is shared, so nobody throws the others out.
//
// It reads from both exactly what belongs to the handshake. ctx bounds the time: of the server by its deadline, of the
// client by its method SetDeadline where it has one; another client must be closed by whoever ends ctx. Errors are of
// type [*HandshakeError].
func (v *Viewer) Handshake(ctx context.Context) error {
	defer interrupt(ctx, v.server)()
	if c, ok := v.client.(deadliner); ok {
		defer interrupt(ctx, c)()
	}
	failed := func(client bool, err error) error {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return &HandshakeError{Client: client, Err: err}
	}
	if _, err := rfb.Authenticate(v.server, v.desk.opts.Password); err != nil {
		return failed(false, err)
	}
	if _, _, err := rfb.Accept(v.client); err != nil {
		return failed(true, err)
	}
	init, err := rfb.Initialise(v.server, true)
	if err != nil {
		return failed(false, err)
	}
	if v.walker != nil {
		if err := v.walker.SetPixelFormat(init.Format); err != nil {
			return failed(false, err)
		}
	}
	if _, err := v.client.Write(init.Append(nil)); err != nil {
		return failed(true, err)
	}
	return nil
}

// deadliner is the part of a connection that ends its reads and writes.
type deadliner interface{ SetDeadline(time.Time) error }

// interrupt makes reads and writes of c fail once ctx is done. The returned function ends that, and returns after a
// running interruption, so that none can hit what comes later.
func interrupt(ctx context.Context, c deadliner) (stop func()) {
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = c.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !cancel() {
			<-done
			_ = c.SetDeadline(time.Time{})
		}
	}
}
