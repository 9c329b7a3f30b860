//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// painter is an X client (X Window System Protocol, X11R7.7) whose window lies over the whole screen and changes its
// colour with each key that is pressed.
type painter struct {
	conn            net.Conn
	window, context uint32
	colour          uint32
}

// paint starts one on a display such as ":40", which must let everybody in.
func paint(display string) (*painter, error) {
	conn, err := net.Dial("unix", "/tmp/.X11-unix/X"+strings.TrimPrefix(display, ":"))
	if err != nil {
		return nil, fmt.Errorf("connect to the X server: %w", err)
	}
	p := &painter{conn: conn}
	if _, err := conn.Write([]byte{'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	setup := make([]byte, 4*int(le.Uint16(head[6:])))
	if _, err := io.ReadFull(conn, setup); err != nil {
		return nil, err
	}
	if head[0] != 1 {
		return nil, fmt.Errorf("the X server refuses: %q", setup)
	}
	ids, vendor, formats := le.Uint32(setup[4:]), int(le.Uint16(setup[16:])), int(setup[21])
	root := le.Uint32(setup[32+(vendor+3)/4*4+8*formats:])
	p.window, p.context = ids+1, ids+2
	const overrideRedirect, eventMask, keyPress = 1 << 9, 1 << 11, 1
	return p, errorOf(
		p.request(1, 0, p.window, root, uint32(0), uint32(2048|2048<<16), uint32(0), uint32(0), // CreateWindow.
			uint32(overrideRedirect|eventMask), uint32(1), uint32(keyPress)),
		p.request(55, 0, p.context, root, uint32(0)), // CreateGC.
		p.request(8, 0, p.window),                    // MapWindow.
		p.request(42, 0, p.window, uint32(0)),        // SetInputFocus.
	)
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// request sends a request: its number, a byte, and its content.
func (p *painter) request(opcode, data byte, content ...any) error {
	var b bytes.Buffer
	for _, c := range content {
		_ = binary.Write(&b, binary.LittleEndian, c)
	}
	_, err := p.conn.Write(append(binary.LittleEndian.AppendUint16([]byte{opcode, data}, uint16(1+b.Len()/4)), b.Bytes()...))
	return err
}

// fill paints a field of so many pixels' side in another colour.
func (p *painter) fill(side uint32) error {
	p.colour = p.colour*1103515245 + 12345
	const foreground = 1 << 2
	return errorOf(
		p.request(56, 0, p.context, uint32(foreground), p.colour>>8&0xffffff),   // ChangeGC.
		p.request(70, 0, p.window, p.context, uint32(20|20<<16), side|side<<16), // PolyFillRectangle.
	)
}

// answerKeys paints a small field, as a letter is, for each key, until the connection ends.
func (p *painter) answerKeys() {
	var event [32]byte
	for {
		if _, err := io.ReadFull(p.conn, event[:]); err != nil {
			return
		}
		if event[0]&0x7f == 2 && p.fill(16) != nil {
			return
		}
	}
}

// animate paints a large field again and again, so many times a second, for a while.
func (p *painter) animate(rate int, length time.Duration) error {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-tick.C {
		if err := p.fill(400); err != nil {
			return err
		}
	}
	return nil
}
