package runtimetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sage/runtime"
)

// The environment variables that a test run is told with.
const (
	// EnvEngines lists with commas the engines that must be there; the others are
	// left alone. Empty means that whatever answers is used.
	EnvEngines = "SAGE_TEST_ENGINES"
	// EnvReport names a file that Report appends to.
	EnvReport = "SAGE_TEST_REPORT"
)

// EngineHost gives the address of an engine's API, for example
// "unix:///run/podman/podman.sock". The engine is "docker", "podman" or
// "podman-rootless". A test whose engine is not there is skipped, or fails where
// SAGE_TEST_ENGINES asks for it.
//
// The address comes from SAGE_TEST_DOCKER_HOST, SAGE_TEST_PODMAN_HOST or
// SAGE_TEST_PODMAN_ROOTLESS_HOST, else it is the usual socket; the rootless one
// belongs to the user sage-test.
func EngineHost(t *testing.T, engine string) string {
	t.Helper()
	wanted := strings.FieldsFunc(os.Getenv(EnvEngines), func(r rune) bool { return r == ',' || r == ' ' })
	if len(wanted) > 0 && !slices.Contains(wanted, engine) {
		t.Skipf("%s does not name %s", EnvEngines, engine)
	}
	host, err := engineHost(engine)
	if err == nil {
		err = answers(t.Context(), host)
	}
	switch {
	case err == nil:
		return host
	case len(wanted) > 0:
		t.Fatalf("%s asks for %s: %v", EnvEngines, engine, err)
	default:
		t.Skipf("%s is not here: %v", engine, err)
	}
	return ""
}

func engineHost(engine string) (string, error) {
	name := "SAGE_TEST_" + strings.ToUpper(strings.ReplaceAll(engine, "-", "_")) + "_HOST"
	if host := os.Getenv(name); host != "" {
		return host, nil
	}
	switch engine {
	case "docker":
		return "unix:///var/run/docker.sock", nil
	case "podman":
		return "unix:///run/podman/podman.sock", nil
	case "podman-rootless":
		account, err := user.Lookup("sage-test")
		if err != nil {
			return "", fmt.Errorf("no engine for tests without root (or set %s): %w", name, err)
		}
		return "unix:///run/user/" + account.Uid + "/podman/podman.sock", nil
	default:
		return "", fmt.Errorf("unknown engine %q", engine)
	}
}

// answers asks for /_ping, which Docker and Podman both have.
func answers(ctx context.Context, host string) error {
	address, err := url.Parse(host)
	if err != nil {
		return err
	}
	network, target := "tcp", address.Host
	if address.Scheme == "unix" {
		network, target = "unix", address.Path
	}
	const limit = 10 * time.Second
	client := &http.Client{Timeout: limit, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, target)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/_ping", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers /_ping with %s", host, resp.Status)
	}
	return nil
}

// Report notes that a test really used an engine, as one line "engine version
// api rootless" in the file that SAGE_TEST_REPORT names. An engine is noted
// once, however many packages use it.
func Report(t *testing.T, engine string, info runtime.Info) {
	t.Helper()
	mode := "rootful"
	if info.Rootless {
		mode = "rootless"
	}
	line := fmt.Sprintf("%s %s api %s %s", engine, info.Version, info.APIVersion, mode)
	t.Log("engine: ", line)
	path := os.Getenv(EnvReport)
	if path == "" {
		return
	}
	if err := appendOnce(path, line); err != nil {
		t.Errorf("report: %v", err)
	}
}

// appendOnce adds a line to a file that does not have it; other processes do the
// same at the same time.
func appendOnce(path, line string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if slices.Contains(strings.Split(string(text), "\n"), line) {
		return nil
	}
	_, err = fmt.Fprintln(file, line)
	return err
}
