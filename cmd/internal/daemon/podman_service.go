package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sage/runtime"
)

const (
	// serviceStart is how long "podman system service" may take to come up.
	serviceStart = 20 * time.Second
	// serviceEnd is how long it may take to end before it is killed.
	serviceEnd = 10 * time.Second
	// serviceLook is how often it is looked at meanwhile.
	serviceLook = 50 * time.Millisecond
	// serviceWords is how many bytes of its last words are told, at most.
	serviceWords = 1024
)

// podmanService is Podman's API, served by a process of ours where only the
// program is there.
type podmanService struct {
	dir    string // holds its socket and its words
	socket string
	words  string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process that was started has ended
}

// served is a runtime with the Podman service that was started for it.
type served struct {
	runtime.Runtime
	service *podmanService
}

// Close also ends the service; containers do not need it.
func (s served) Close() error {
	return errors.Join(s.Runtime.Close(), s.service.end())
}

// startPodman serves Podman's API where only the program is there.
func startPodman(ctx context.Context, log *slog.Logger) (runtime.Runtime, runtime.Info, error) {
	service, err := startService(log)
	if err != nil {
		return nil, runtime.Info{}, fmt.Errorf("podman program: %w", err)
	}
	rt, info, err := service.await(ctx)
	if err != nil {
		return nil, runtime.Info{}, errors.Join(fmt.Errorf("%s system service: %w", service.cmd.Path, err), service.end())
	}
	return served{rt, service}, info, nil
}

// startService starts the program and does not wait for it.
func startService(log *slog.Logger) (*podmanService, error) {
	program, err := exec.LookPath("podman")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sage-podman-")
	if err != nil {
		return nil, err
	}
	s := &podmanService{
		dir: dir, socket: filepath.Join(dir, "podman.sock"), words: filepath.Join(dir, "podman.log"), ended: make(chan struct{}),
	}
	words, err := os.OpenFile(s.words, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer words.Close()
	// Errors only: the file is there as long as the service.
	s.cmd = exec.Command(program, "--log-level=error", "system", "service", "--time=0", s.host())
	// A file and not a pipe: what the service starts inherits it and outlives us.
	s.cmd.Stderr = words
	// Its end is ours to give: a Ctrl-C in our terminal must not reach it first.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() {
		defer close(s.ended)
		if err := s.cmd.Wait(); err != nil {
			log.Debug("podman service ended", "error", err)
		}
	}()
	return s, nil
}

func (s *podmanService) host() string { return "unix://" + s.socket }

// await waits until the service listens, or has ended, and connects to it.
func (s *podmanService) await(ctx context.Context) (runtime.Runtime, runtime.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, serviceStart)
	defer cancel()
	tick := time.NewTicker(serviceLook)
	defer tick.Stop()
	for listens(ctx, s.socket) != nil {
		select {
		case <-s.ended:
			return nil, runtime.Info{}, s.died()
		case <-ctx.Done():
			return nil, runtime.Info{}, fmt.Errorf("it does not listen: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return place{EnginePodman, s.host(), "started here"}.open(ctx)
}

// died says why the service ended, in its own words.
func (s *podmanService) died() error {
	words, err := os.ReadFile(s.words)
	words = bytes.TrimSpace(words)
	if err != nil || len(words) == 0 {
		return errors.Join(errors.New("it ended at once: try it by hand to see why"), err)
	}
	return fmt.Errorf("it ended at once: %s", words[max(0, len(words)-serviceWords):])
}

// end ends the service and waits until nothing of it listens any more.
//
// The signal is for its whole group. A rootless Podman that is the first one
// after a boot leaves its work to a child in a new user namespace, and its parent
// may go before it has told the child. What containers need has groups of its
// own.
func (s *podmanService) end() error {
	group := -s.cmd.Process.Pid
	// Signals only fail where all have ended already.
	_ = syscall.Kill(group, syscall.SIGINT)
	if !s.gone() {
		_ = syscall.Kill(group, syscall.SIGKILL)
	}
	<-s.ended
	return os.RemoveAll(s.dir)
}

// gone waits until the service has ended and nothing listens any more, and says
// whether that came in time.
func (s *podmanService) gone() bool {
	ctx, cancel := context.WithTimeout(context.Background(), serviceEnd)
	defer cancel()
	select {
	case <-s.ended:
	case <-ctx.Done():
		return false
	}
	tick := time.NewTicker(serviceLook)
	defer tick.Stop()
	for listens(ctx, s.socket) == nil {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return ctx.Err() == nil
}
