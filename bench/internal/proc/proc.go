//go:build linux

// Package proc runs the processes that are measured, and reads from outside what they use.
//
// A process here is a tree: nginx's workers and websockify's child of each connection count for the program that was
// started. Only Linux tells all this, in /proc.
package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds the start and the end of a process.
const patience = 10 * time.Second

// Process is a program that runs. Its standard output is read line by line, see [Process.Line].
type Process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	ended chan struct{}
	err   error // Of the end; to be read once ended is closed.
	once  sync.Once
}

// Start runs a program until ctx ends or [Process.Stop] is called. What it writes to standard error is shown.
func Start(ctx context.Context, name string, args ...string) (*Process, error) {
	return start(ctx, os.Stderr, name, args...)
}

// StartQuiet is Start for a program that talks all the time: what it wrote is shown only in the error of a bad end.
func StartQuiet(ctx context.Context, name string, args ...string) (*Process, error) {
	return start(ctx, nil, name, args...)
}

// Self runs this program again, in another of its modes.
func Self(ctx context.Context, mode string, args ...string) (*Process, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return Start(ctx, name, append([]string{mode}, args...)...)
}

func start(ctx context.Context, stderr io.Writer, name string, args ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	// No child outlives this process, however it ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	said := &beginning{}
	if stderr == nil {
		stderr = said
	}
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	p := &Process{cmd: cmd, in: in, out: bufio.NewReader(out), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		if err := cmd.Wait(); err != nil {
			p.err = fmt.Errorf("%s: %w%s", cmd.Args[0], err, said)
		}
	}()
	return p, nil
}

// PID is the process id of the program itself.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Line waits for a line of standard output.
func (p *Process) Line() (string, error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s %s said nothing: %w", p.cmd.Args[0], strings.Join(p.cmd.Args[1:], " "), err)
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// Output is standard output behind the lines that were read.
func (p *Process) Output() io.Reader { return p.out }

// Say writes a line to standard input.
func (p *Process) Say(line string) error {
	_, err := io.WriteString(p.in, line+"\n")
	return err
}

// Ask says a line and waits for the one that answers it.
func (p *Process) Ask(line string) (string, error) {
	if err := p.Say(line); err != nil {
		return "", err
	}
	return p.Line()
}

// Stop ends the program and waits for its end. It is idempotent.
func (p *Process) Stop() {
	p.once.Do(func() {
		p.in.Close()
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
}

// Running gives an error once the program has ended.
func (p *Process) Running() error {
	select {
	case <-p.ended:
		return errors.Join(errors.New(p.cmd.Args[0]+" has ended"), p.err)
	default:
		return nil
	}
}

// beginning keeps the first of what is written to it.
type beginning struct {
	mu   sync.Mutex
	text []byte
}

// maxBeginning is how much of it is kept, in bytes.
const maxBeginning = 4096

// Write keeps text as long as there is room.
func (b *beginning) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, text[:min(len(text), maxBeginning-len(b.text))]...)
	return len(text), nil
}

// String gives it behind a colon, for an error; nothing when nothing was written.
func (b *beginning) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.text) == 0 {
		return ""
	}
	return ": " + string(b.text)
}
