//go:build linux

// Package vnc starts real VNC servers on loopback, and goes through RFB's handshake with it (RFC 6143 section 7.1 to 7.3).
package vnc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"sage/bench/internal/proc"
)

// TurboVNC is where its publisher's package puts TurboVNC's server.
const TurboVNC = "/opt/TurboVNC/bin/Xvnc"

// Server is a VNC server that runs, without a password and for loopback only.
type Server struct {
	*proc.Process
	Address string // Where it speaks RFB.
	Display string // For X clients, as in ":42".
}

// firstDisplay is where the search for a free X display begins.
const firstDisplay = 40

// Start starts an Xtigervnc with a screen of so many pixels, and returns once it answers.
func Start(ctx context.Context, width, height int) (*Server, error) {
	return StartProgram(ctx, "Xtigervnc", width, height, "-Log", "*:stderr:0")
}

// StartProgram starts, like Start, any server that takes Xvnc's arguments, with more of them.
func StartProgram(ctx context.Context, program string, width, height int, args ...string) (*Server, error) {
	display, err := freeDisplay()
	if err != nil {
		return nil, err
	}
	port, err := proc.FreePort()
	if err != nil {
		return nil, err
	}
	all := []string{
		display, "-rfbport", strconv.Itoa(port), "-localhost", "-SecurityTypes", "None",
		"-geometry", fmt.Sprintf("%dx%d", width, height), "-depth", "24", "-AlwaysShared", "-ac", "-nolisten", "tcp", "-noreset",
	}
	p, err := proc.StartQuiet(ctx, program, append(all, args...)...)
	if err != nil {
		return nil, err
	}
	s := &Server{Process: p, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Display: display}
	if err := p.Listens(ctx, s.Address); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// freeDisplay finds a display that no X server has.
func freeDisplay() (string, error) {
	for n := firstDisplay; n < firstDisplay+200; n++ {
		_, err := os.Lstat(fmt.Sprintf("/tmp/.X11-unix/X%d", n))
		_, lerr := os.Lstat(fmt.Sprintf("/tmp/.X%d-lock", n))
		if errors.Is(err, os.ErrNotExist) && errors.Is(lerr, os.ErrNotExist) {
			return fmt.Sprintf(":%d", n), nil
		}
	}
	return "", errors.New("no X display is free")
}
