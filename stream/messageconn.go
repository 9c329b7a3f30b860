package stream

import (
	"crypto/rand"
	"io"
	"net"
	"sync"

	"sage/stream/ws"
)

// messageConn gives what the binary messages of a WebSocket hold, as the client of an endpoint that speaks it. One
// goroutine may read while others write.
type messageConn struct {
	net.Conn
	decoder *ws.Decoder
	early   []byte // What came behind the answer to the handshake.

	mu  sync.Mutex
	out []byte // The frame that is written; kept, since most are small.
}

// newMessageConn speaks for the client on conn, whose handshake is done. Messages of the endpoint may have any length.
func newMessageConn(conn net.Conn, early []byte) *messageConn {
	const noLimit = 1<<63 - 1
	return &messageConn{Conn: conn, decoder: ws.NewDecoder(false, noLimit), early: early}
}

// Read is [net.Conn]. The frames are taken apart where they were read.
func (m *messageConn) Read(b []byte) (int, error) {
	for {
		n := copy(b, m.early)
		m.early = m.early[n:]
		if n == 0 {
			var err error
			if n, err = m.Conn.Read(b); err != nil {
				return 0, err
			}
		}
		payload, err := m.unframe(b[:n])
		if len(payload) > 0 || err != nil {
			return len(payload), err
		}
	}
}

// unframe moves the payloads in b together. What else it finds there is answered.
func (m *messageConn) unframe(b []byte) (payload []byte, err error) {
	payload = b[:0]
	for len(b) > 0 {
		event, n, err := m.decoder.Next(b)
		if err != nil {
			return payload, err
		}
		b = b[n:]
		switch event.Op {
		case ws.Binary:
			payload = append(payload, event.Payload...)
		case ws.Ping:
			if err := m.write(ws.Pong, event.Payload); err != nil {
				return payload, err
			}
		case ws.Close:
			return payload, io.EOF
		}
	}
	return payload, nil
}

// Write is [net.Conn]: b becomes one message.
func (m *messageConn) Write(b []byte) (int, error) { return len(b), m.write(ws.Binary, b) }

func (m *messageConn) write(o ws.Opcode, b []byte) error {
	var key [4]byte
	_, _ = rand.Read(key[:]) // It never fails.
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out = ws.AppendMaskedHead(m.out[:0], o, len(b), key)
	head := len(m.out)
	m.out = append(m.out, b...)
	ws.Mask(m.out[head:], key, 0)
	_, err := m.Conn.Write(m.out)
	if cap(m.out) > clientBufferSize {
		m.out = nil
	}
	return err
}
