//go:build linux

package main

import (
	"encoding/binary"
	"strings"
	"time"
)

// What the person does, phase after phase: types, reads on, watches a film, and does a little of everything.
const (
	typing, reading, watching = 8 * time.Second, 9 * time.Second, 7 * time.Second
	keyPause, wheelPause      = 130 * time.Millisecond, 400 * time.Millisecond

	text = "Dear all, the pictures of the new building are on the screen in the big room. " +
		"Have a look when you pass by, and say what you think of it. "

	// Where on the page the article and the film are.
	articleX, articleY = 250, 390
	filmX, filmY       = 200, 260
)

// deed is what the person does at one moment: messages for the server.
type deed struct {
	at       time.Duration
	messages [][]byte
}

// deeds is the whole script.
func deeds() []deed {
	var all []deed
	at := 500 * time.Millisecond
	do := func(pause time.Duration, messages ...[]byte) {
		all = append(all, deed{at, messages})
		at += pause
	}
	do(0, pointer(300, 90, 0))
	do(keyPause, pointer(300, 90, 1), pointer(300, 90, 0))
	for _, r := range strings.Repeat(text, 1+int(typing/keyPause)/len(text))[:typing/keyPause] {
		do(keyPause, key(uint32(r), true), key(uint32(r), false))
	}
	// A wheel is buttons 4 and 5 (down).
	for i := range int(reading / wheelPause) {
		wheel := byte(1 << 4)
		if i%4 == 3 {
			wheel = 1 << 3
		}
		x := uint16(articleX + 3*i)
		do(wheelPause, pointer(x, articleY, 0), pointer(x, articleY, wheel), pointer(x, articleY, 0))
	}
	do(watching, pointer(filmX, filmY, 1), pointer(filmX, filmY, 0))
	do(0, pointer(filmX+1, filmY, 0))
	return all
}

// key presses or releases (RFC 6143 section 7.5.4); a printable letter of Latin-1 is its own keysym.
func key(keysym uint32, down bool) []byte {
	b := []byte{4, 0, 0, 0}
	if down {
		b[1] = 1
	}
	return binary.BigEndian.AppendUint32(b, keysym)
}

// pointer moves the pointer (RFC 6143 section 7.5.5).
func pointer(x, y uint16, buttons byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{5, buttons}, x)
	return binary.BigEndian.AppendUint16(b, y)
}
