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
	// serviceAgain is the pause before it is started again.
	serviceAgain = time.Second
	// serviceWords is how many bytes of its last words are told, at most.
	serviceWords = 1024
)

// podmanService is Podman's API, served by a process of ours where only the
// program is there.
type podmanService struct {
	program string
	log     *slog.Logger
	dir     string // holds its socket and its words
	socket  string
	words   string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process that was started last has ended
}

// served is a runtime with the Podman service that was started for it.
type served struct {
	runtime.Runtime
	service *podmanService
	// forget ends the watch over the service, and forgotten is closed then.
	forget    context.CancelFunc
	forgotten chan struct{}
}

// Close also ends the service; containers do not need it.
func (s served) Close() error {
	s.forget()
	<-s.forgotten
	return errors.Join(s.Runtime.Close(), s.service.end())
}

// startPodman serves Podman's API where only the program is there, and goes on
// with that when the service ends by itself.
func startPodman(ctx context.Context, log *slog.Logger) (runtime.Runtime, runtime.Info, error) {
	service, err := newPodmanService(log)
	if err != nil {
		return nil, runtime.Info{}, fmt.Errorf("podman program: %w", err)
	}
	rt, info, err := service.await(ctx)
	if err != nil {
		return nil, runtime.Info{}, errors.Join(fmt.Errorf("%s system service: %w", service.program, err), service.end())
	}
	watch, forget := context.WithCancel(context.Background())
	s := served{rt, service, forget, make(chan struct{})}
	go func() {
		defer close(s.forgotten)
		service.keep(watch)
	}()
	return s, info, nil
}

// newPodmanService starts the program and does not wait for it.
func newPodmanService(log *slog.Logger) (*podmanService, error) {
	program, err := exec.LookPath("podman")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sage-podman-")
	if err != nil {
		return nil, err
	}
	s := &podmanService{
		program: program, log: log, dir: dir, socket: filepath.Join(dir, "podman.sock"), words: filepath.Join(dir, "podman.log"),
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *podmanService) start() error {
	words, err := os.Create(s.words)
	if err != nil {
		return err
	}
	defer words.Close()
	// Errors only: the file is there as long as the service.
	cmd := exec.Command(s.program, "--log-level=error", "system", "service", "--time=0", s.host())
	// A file and not a pipe: what the service starts inherits it and outlives us.
	cmd.Stderr = words
	// Its end is ours to give: a Ctrl-C in our terminal must not reach it first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.cmd, s.ended = cmd, ended
	go func() {
		defer close(ended)
		if err := cmd.Wait(); err != nil {
			s.log.Debug("podman service ended", "error", err)
		}
	}()
	return nil
}

// keep starts the service again whenever it has ended, until ctx ends.
func (s *podmanService) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ended:
		}
		s.log.Error("podman's service has ended and is started again", "error", s.died())
		// What is left of it would serve beside the next one.
		s.signal(syscall.SIGKILL)
		_ = os.Remove(s.socket) // One that was killed leaves it.
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(serviceAgain):
			}
			err := s.start()
			if err == nil {
				break
			}
			s.log.Error("podman's service does not start", "error", err)
		}
	}
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
		return errors.Join(errors.New("it ended without a word: try it by hand to see why"), err)
	}
	return fmt.Errorf("it ended: %s", words[max(0, len(words)-serviceWords):])
}

// end ends the service and waits until nothing of it listens any more.
func (s *podmanService) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), serviceEnd)
	defer cancel()
	if !s.over(ctx) {
		s.signal(syscall.SIGINT)
	}
	tick := time.NewTicker(serviceLook)
	defer tick.Stop()
	for !s.over(ctx) {
		select {
		case <-ctx.Done():
			s.signal(syscall.SIGKILL)
			<-s.ended
		case <-tick.C:
		}
	}
	return os.RemoveAll(s.dir)
}

// over tells whether the service has ended and nothing listens any more; after ctx
// nobody looks for the latter.
func (s *podmanService) over(ctx context.Context) bool {
	select {
	case <-s.ended:
		return listens(ctx, s.socket) != nil
	default:
		return false
	}
}

// signal is for the whole group of the service. A rootless Podman that is the first
// one after a boot leaves its work to a child in a new user namespace, and its
// parent may go before it has told the child. What containers need has groups of
// its own.
func (s *podmanService) signal(signal syscall.Signal) {
	_ = syscall.Kill(-s.cmd.Process.Pid, signal) // Fails only where all have ended.
}
