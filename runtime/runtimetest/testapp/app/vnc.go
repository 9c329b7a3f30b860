package app

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// The screen of ModeVNC, in pixels.
const (
	VNCWidth  = 64
	VNCHeight = 48
	// VNCName is its desktop name.
	VNCName = "testapp"
)

// The client messages of RFC 6143, section 7.5.
const (
	setPixelFormat           = 0
	setEncodings             = 2
	framebufferUpdateRequest = 3
	keyEvent                 = 4
	pointerEvent             = 5
	clientCutText            = 6
)

// bytesPerPixel is fixed: a client that asks for another pixel format is turned
// away.
const bytesPerPixel = 4

// screen is what all clients see: one colour, which changes with each key press.
type screen struct {
	mu     sync.Mutex
	colour uint32
}

func (s *screen) get() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.colour
}

func (s *screen) press(key uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.colour = (s.colour*31 + key + 1) & 0xffffff
}

// vnc is an RFB 3.8 server with security type None and raw encoding. It answers
// every update request at once and whole.
func vnc(ctx context.Context, sys System) int {
	listener, err := sys.Listen(VNCPort)
	if err != nil {
		fmt.Fprintln(sys.Stderr(), "testapp:", err)
		return codeFailed
	}
	shared := &screen{colour: 0x204080}
	var open sync.WaitGroup
	defer open.Wait()
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return 0
		}
		open.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			if err := vncClient(conn, shared); err != nil {
				fmt.Fprintln(sys.Stderr(), "testapp: vnc client:", err)
			}
		})
	}
}

func vncClient(conn net.Conn, shared *screen) error {
	if err := vncHandshake(conn); err != nil {
		return err
	}
	var head [20]byte
	for {
		if _, err := io.ReadFull(conn, head[:1]); err != nil {
			return err
		}
		switch head[0] {
		case setPixelFormat:
			if _, err := io.ReadFull(conn, head[:19]); err != nil {
				return err
			}
			if bits := head[3]; bits != 8*bytesPerPixel {
				return fmt.Errorf("pixel format with %d bits is not served", bits)
			}
		case setEncodings:
			if _, err := io.ReadFull(conn, head[:3]); err != nil {
				return err
			}
			count := int64(binary.BigEndian.Uint16(head[1:]))
			if _, err := io.CopyN(io.Discard, conn, 4*count); err != nil {
				return err
			}
		case framebufferUpdateRequest:
			if _, err := io.ReadFull(conn, head[:9]); err != nil {
				return err
			}
			if _, err := conn.Write(update(shared.get())); err != nil {
				return err
			}
		case keyEvent:
			if _, err := io.ReadFull(conn, head[:7]); err != nil {
				return err
			}
			if down := head[0] != 0; down {
				shared.press(binary.BigEndian.Uint32(head[3:]))
			}
		case pointerEvent:
			if _, err := io.ReadFull(conn, head[:5]); err != nil {
				return err
			}
		case clientCutText:
			if _, err := io.ReadFull(conn, head[:7]); err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[3:]))); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unknown message %d", head[0])
		}
	}
}

// vncHandshake speaks RFC 6143, sections 7.1 to 7.3.
func vncHandshake(conn net.Conn) error {
	const version = "RFB 003.008\n"
	if _, err := io.WriteString(conn, version); err != nil {
		return err
	}
	var in [len(version)]byte
	if _, err := io.ReadFull(conn, in[:]); err != nil {
		return err
	}
	if string(in[:]) != version {
		return fmt.Errorf("version %q is not served", in[:])
	}
	const none = 1
	if _, err := conn.Write([]byte{1, none}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, in[:1]); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{0, 0, 0, 0}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, in[:1]); err != nil {
		return err
	}
	out := binary.BigEndian.AppendUint16(nil, VNCWidth)
	out = binary.BigEndian.AppendUint16(out, VNCHeight)
	// Bits, depth, little endian, true colour; maxima; shifts; padding.
	out = append(out, 8*bytesPerPixel, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(VNCName)))
	_, err := conn.Write(append(out, VNCName...))
	return err
}

// update is a FramebufferUpdate of the whole screen in one colour.
func update(colour uint32) []byte {
	out := []byte{0, 0, 0, 1, 0, 0, 0, 0}
	out = binary.BigEndian.AppendUint16(out, VNCWidth)
	out = binary.BigEndian.AppendUint16(out, VNCHeight)
	out = binary.BigEndian.AppendUint32(out, 0)
	for range VNCWidth * VNCHeight {
		out = binary.LittleEndian.AppendUint32(out, colour)
	}
	return out
}
