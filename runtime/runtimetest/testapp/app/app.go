// Package app is the program that the conformance suite runs in containers. It
// shows from within what a container was given, and it behaves badly on
// request.
//
// It sees the world through System only, so that the same behaviour runs in a
// container (package testapp) and inside a test's process (a fake runtime). It
// must not know what a container engine is.
package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The environment variables that choose the behaviour.
const (
	// EnvMode is one of the modes; empty means ModeServe.
	EnvMode = "TESTAPP_MODE"
	// EnvCode is the exit code of ModeExit, 0 to 255.
	EnvCode = "TESTAPP_CODE"
	// EnvDelay is how long ModeSlow waits, as a Go duration.
	EnvDelay = "TESTAPP_DELAY"
)

// The modes.
const (
	// ModeServe answers HTTP on HTTPPort and echoes on EchoPort until it is asked
	// to end.
	ModeServe = "serve"
	// ModeExit prints a line on each output and ends with the code of EnvCode.
	ModeExit = "exit"
	// ModeStubborn serves, too, but ignores the request to end.
	ModeStubborn = "stubborn"
	// ModeOOM uses more and more memory.
	ModeOOM = "oom"
	// ModeNoisy prints NoisyLines numbered lines and serves. Some of the last ones
	// it prints in two pieces, each of which is read before the next one comes.
	ModeNoisy = "noisy"
	// ModeSlow serves after EnvDelay.
	ModeSlow = "slow"
	// ModeVNC is a small RFB server on VNCPort.
	ModeVNC = "vnc"
)

// The ports and sizes of the behaviours.
const (
	HTTPPort   = 8080
	EchoPort   = 7000
	VNCPort    = 5900
	NoisyLines = 10_000
	// LineExit and LineExitError are what ModeExit prints.
	LineExit      = "testapp: a line on standard output"
	LineExitError = "testapp: a line on standard error"
)

// The exit codes of the program itself.
const (
	codeFailed  = 64
	codeNoLimit = 65
)

// System is the world that the program runs in.
type System interface {
	// Environ is the environment as "name=value".
	Environ() []string
	Hostname() (string, error)
	// Listen listens for TCP connections on all addresses.
	Listen(port uint16) (net.Listener, error)
	Stdout() io.Writer
	Stderr() io.Writer
	// AwaitReader returns when what was written to Stdout has been read.
	AwaitReader()
	ReadFile(path string) ([]byte, error)
	WriteFile(path string, data []byte) error
	// Size is the size in bytes of the file system that holds path.
	Size(path string) (int64, error)
	// Burn spends so much processor time.
	Burn(d time.Duration)
	Limits() Limits
	Privileges() (Privileges, error)
	// Killed is closed when the program ends whether it wants to or not; nil
	// where that cannot be observed.
	Killed() <-chan struct{}
}

// Limits are what the control group says; zero means no limit or not known.
type Limits struct {
	// CPUs is in cores.
	CPUs float64
	// MemoryBytes bounds memory, MemorySwapBytes memory and swap together.
	MemoryBytes, MemorySwapBytes int64
	PIDs                         int64
}

// Privileges are what the kernel allows the program.
type Privileges struct {
	// Effective, Permitted and Bounding are the capability sets as bits.
	Effective, Permitted, Bounding uint64
	NoNewPrivileges                bool
	UID                            int
}

// Run behaves as the environment says until ctx ends, which is the request to
// end, and gives the exit code.
func Run(ctx context.Context, sys System) int {
	switch mode := getenv(sys, EnvMode); mode {
	case "", ModeServe:
		return serve(ctx, sys)
	case ModeExit:
		return exit(sys)
	case ModeStubborn:
		return stubborn(ctx, sys)
	case ModeOOM:
		return oom(ctx)
	case ModeNoisy:
		noise(sys)
		return serve(ctx, sys)
	case ModeSlow:
		return slow(ctx, sys)
	case ModeVNC:
		return vnc(ctx, sys)
	default:
		fmt.Fprintf(sys.Stderr(), "testapp: unknown %s %q\n", EnvMode, mode)
		return codeFailed
	}
}

// noise prints the lines of ModeNoisy. Engines that keep pieces of lines must not
// mix them up: every fifth of the last hundred lines comes in two.
func noise(sys System) {
	for i := range NoisyLines {
		if i < NoisyLines-100 || i%5 != 0 {
			fmt.Fprintf(sys.Stdout(), "line %05d\n", i)
			continue
		}
		sys.AwaitReader()
		fmt.Fprint(sys.Stdout(), "line")
		sys.AwaitReader()
		fmt.Fprintf(sys.Stdout(), " %05d\n", i)
	}
}

func exit(sys System) int {
	fmt.Fprintln(sys.Stdout(), LineExit)
	fmt.Fprintln(sys.Stderr(), LineExitError)
	code, err := strconv.Atoi(getenv(sys, EnvCode))
	if err != nil {
		return 0
	}
	return code
}

// stubborn serves under a context of its own, which only a kill ends.
func stubborn(ctx context.Context, sys System) int {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if killed := sys.Killed(); killed != nil {
		go func() {
			select {
			case <-killed:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return serve(ctx, sys)
}

func slow(ctx context.Context, sys System) int {
	delay, err := time.ParseDuration(getenv(sys, EnvDelay))
	if err != nil {
		fmt.Fprintf(sys.Stderr(), "testapp: %s: %v\n", EnvDelay, err)
		return codeFailed
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return serve(ctx, sys)
	case <-ctx.Done():
		return 0
	}
}

// oom touches memory page by page up to a bound that protects a host without
// limits.
func oom(ctx context.Context) int {
	const (
		chunk = 8 << 20
		bound = 1 << 30
		page  = 4096
	)
	var kept [][]byte
	for len(kept)*chunk < bound && ctx.Err() == nil {
		block := make([]byte, chunk)
		for i := 0; i < len(block); i += page {
			block[i] = 1
		}
		kept = append(kept, block)
	}
	return codeNoLimit
}

// getenv is the value of a variable of the system; empty if there is none.
func getenv(sys System, name string) string {
	environ := sys.Environ()
	i := slices.IndexFunc(environ, func(entry string) bool {
		return strings.HasPrefix(entry, name+"=")
	})
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(environ[i], name+"=")
}
