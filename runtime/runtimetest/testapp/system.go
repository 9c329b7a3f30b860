package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sage/runtime/runtimetest/testapp/app"
)

// system is the container as the kernel shows it.
type system struct{}

func (system) Environ() []string         { return os.Environ() }
func (system) Hostname() (string, error) { return os.Hostname() }
func (system) Stdout() io.Writer         { return os.Stdout }
func (system) Stderr() io.Writer         { return os.Stderr }
func (system) Killed() <-chan struct{}   { return nil }

// AwaitReader asks the pipe, whichever end of it this is.
func (system) AwaitReader() {
	for range time.Tick(time.Millisecond) {
		if unread, err := unix.IoctlGetInt(int(os.Stdout.Fd()), unix.TIOCINQ); err != nil || unread == 0 {
			return
		}
	}
}

func (system) Listen(port uint16) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(int(port))))
}

func (system) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

func (system) WriteFile(path string, data []byte) error {
	return os.WriteFile(path, data, 0o600)
}

func (system) Size(path string) (int64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0, fmt.Errorf("size of %s: %w", path, err)
	}
	return int64(stat.Blocks) * stat.Bsize, nil
}

// Limits reads the container's own control group, which engines mount at
// /sys/fs/cgroup: version 2 if it is there, else version 1.
func (system) Limits() app.Limits {
	const root = "/sys/fs/cgroup/"
	if _, err := os.Stat(root + "cgroup.controllers"); err == nil {
		limits := app.Limits{MemoryBytes: number(root + "memory.max"), PIDs: number(root + "pids.max")}
		if text, err := os.ReadFile(root + "memory.swap.max"); err == nil && limits.MemoryBytes > 0 {
			if swap, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil {
				limits.MemorySwapBytes = limits.MemoryBytes + swap
			}
		}
		if text, err := os.ReadFile(root + "cpu.max"); err == nil {
			var quota, period float64
			if n, err := fmt.Sscan(string(text), &quota, &period); err == nil && n == 2 && period > 0 {
				limits.CPUs = quota / period
			}
		}
		return limits
	}
	limits := app.Limits{
		MemoryBytes:     number(root + "memory/memory.limit_in_bytes"),
		MemorySwapBytes: number(root + "memory/memory.memsw.limit_in_bytes"),
		PIDs:            number(root + "pids/pids.max"),
	}
	quota, period := number(root+"cpu/cpu.cfs_quota_us"), number(root+"cpu/cpu.cfs_period_us")
	if quota > 0 && period > 0 {
		limits.CPUs = float64(quota) / float64(period)
	}
	return limits
}

// number is the limit in a file; zero for "max", for version 1's huge number
// that means the same, and for no file.
func number(path string) int64 {
	const unlimited = 1 << 60
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil || n < 0 || n > unlimited {
		return 0
	}
	return n
}

// Burn is done by the clock of the process's own time, however busy the host is.
func (system) Burn(d time.Duration) {
	used := func() time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			return d
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	for end := used() + d; used() < end; {
	}
}

func (system) Privileges() (app.Privileges, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return app.Privileges{}, err
	}
	privileges := app.Privileges{UID: os.Getuid()}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		var set *uint64
		switch name {
		case "CapEff":
			set = &privileges.Effective
		case "CapPrm":
			set = &privileges.Permitted
		case "CapBnd":
			set = &privileges.Bounding
		case "NoNewPrivs":
			privileges.NoNewPrivileges = value == "1"
			continue
		default:
			continue
		}
		if *set, err = strconv.ParseUint(value, 16, 64); err != nil {
			return app.Privileges{}, fmt.Errorf("%s in /proc/self/status: %w", name, err)
		}
	}
	return privileges, lines.Err()
}
