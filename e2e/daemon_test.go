package e2e_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// settings are environment variables of a daemon.
type settings map[string]string

// daemon is a running "sage serve".
type daemon struct {
	t *testing.T
	e *engine
	// instance tells its containers, base begins their names.
	instance, base string
	dataDir        string
	env            settings

	// address is its URL, without a slash at the end; client is nil for the usual one.
	address string
	client  *http.Client
	process *os.Process
	// ended is closed when the process has; exit is how, then.
	ended chan struct{}
	exit  *os.ProcessState

	mu   sync.Mutex
	uids map[string]bool
}

// serve runs a daemon of its own data, names and ports until the test ends, and
// takes away whatever it has left then.
func serve(t *testing.T, e *engine, own settings) *daemon {
	t.Helper()
	instance := "e2e-" + strings.ToLower(rand.Text()[:10])
	d := &daemon{t: t, e: e, instance: instance, base: instance + "-", dataDir: t.TempDir(), uids: map[string]bool{}}
	d.env = settings{
		"PATH": os.Getenv("PATH"), "HOME": d.dataDir,
		"SAGE_RUNTIME": e.kind, "SAGE_RUNTIME_HOST": e.host,
		"SAGE_LISTEN": "127.0.0.1:0", "SAGE_DATA_DIR": d.dataDir, "SAGE_CATALOG": absolute(t, catalogFile),
		"SAGE_INSTANCE": instance, "CONTAINER_BASE_NAME": d.base, "SAGE_BUILD_ARGS": vncServer,
		// Below the ports that the kernel gives to connections.
		"PORT_RANGE_START": "21000", "PORT_RANGE_END": "24000",
	}
	maps.Copy(d.env, own)
	t.Cleanup(func() { e.sweep(t, instance, d.volume, d.knownUIDs()) })
	t.Cleanup(d.showLog)
	t.Cleanup(func() { d.end(syscall.SIGTERM) })
	d.run()
	return d
}

// run starts the process and waits until it serves.
func (d *daemon) run() {
	d.t.Helper()
	cmd := exec.Command(os.Getenv(envBinary), "serve")
	cmd.Env = d.env.environ()
	log, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("start sage: %v", err)
	}
	ended := make(chan struct{})
	d.process, d.ended = cmd.Process, ended
	said := make(chan string, 1)
	go func() {
		defer close(ended)
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		said <- line
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait() // Tests that end it know how.
		d.exit = cmd.ProcessState
	}()
	select {
	case line := <-said:
		_, address, ok := strings.Cut(strings.TrimSpace(line), "sage is ready: ")
		if !ok {
			d.t.Fatalf("sage did not come up, it said %q", line)
		}
		d.address = address
	case <-time.After(time.Minute):
		d.t.Fatal("sage did not come up within a minute")
	}
}

// end signals the process and waits for its end.
func (d *daemon) end(signal os.Signal) {
	if d.process == nil {
		return
	}
	if err := d.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Errorf("signal sage: %v", err)
	}
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		d.t.Error("sage did not end within a minute; it is killed")
		_ = d.process.Kill()
		<-d.ended
	}
	d.process = nil
}

func (d *daemon) logFile() string { return filepath.Join(d.dataDir, "sage.log") }

// showLog tells the daemon's side of a failure.
func (d *daemon) showLog() {
	if !d.t.Failed() {
		return
	}
	log, err := os.ReadFile(d.logFile())
	if err != nil {
		d.t.Log(err)
		return
	}
	const most = 16 << 10
	d.t.Logf("sage's log:\n%s", log[max(0, len(log)-most):])
}

// volume is the name of a uid's home.
func (d *daemon) volume(uid string) string { return d.base + uid + "-home" }

// know remembers a uid that may have a volume.
func (d *daemon) know(uid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.uids[uid] = true
}

// knownUIDs are the uids that the test has named and those with settings.
func (d *daemon) knownUIDs() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	uids := maps.Clone(d.uids)
	for _, uid := range d.savedUIDs() {
		uids[uid] = true
	}
	return uids
}

// savedUIDs have settings in the data directory.
func (d *daemon) savedUIDs() []string {
	files, err := filepath.Glob(filepath.Join(d.dataDir, "sessions", "*.json"))
	if err != nil {
		d.t.Fatal(err)
	}
	var uids []string
	for _, file := range files {
		uids = append(uids, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	return uids
}

func (s settings) environ() []string {
	var env []string
	for name, value := range s {
		env = append(env, name+"="+value)
	}
	return env
}
