package rfb_test

import "net"

// counted counts what is read.
type counted struct {
	net.Conn
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n += n
	return n, err
}

// older is a connection to a server that greets as if it were older than it is. Servers go by the client's answer.
type older struct {
	net.Conn
	greeting string
	read     int
}

func (o *older) Read(b []byte) (int, error) {
	if o.read < len(o.greeting) {
		b = b[:min(len(b), len(o.greeting)-o.read)]
	}
	n, err := o.Conn.Read(b)
	if o.read < len(o.greeting) {
		copy(b[:n], o.greeting[o.read:])
	}
	o.read += n
	return n, err
}
