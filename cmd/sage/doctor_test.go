package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sage/cmd/internal/daemon"
	"sage/cmd/internal/doctor"
	"sage/runtime/runtimetest"
)

// freeRange is a range with one port, on which nobody listens.
func freeRange(t *testing.T) (start, end int) {
	t.Helper()
	start = int(runtimetest.FreePort(t))
	return start, start + 1
}

func TestDiagnosis(t *testing.T) {
	well := doctor.Finding{Mark: doctor.OK, Subject: "engine", Says: "docker 1"}
	warning := doctor.Finding{Mark: doctor.Warn, Subject: "images", Says: "missing", Details: []string{"one"}, Mend: "sage build"}
	failure := doctor.Finding{Mark: doctor.Fail, Subject: "data", Says: "gone", Mend: "make it"}
	for _, tc := range []struct {
		name   string
		d      diagnosis
		strict bool
		err    string
		want   string
	}{
		{"well", diagnosis{Findings: []doctor.Finding{well}}, true, "", "ok    engine    docker 1\n\nnothing to mend\n"},
		{"warning", diagnosis{Warnings: 1, Findings: []doctor.Finding{warning}}, false, "",
			"warn  images    missing\n                one\n                -> sage build\n\ndesktops can start, 1 warning\n"},
		{"warning counts", diagnosis{Warnings: 1, Findings: []doctor.Finding{warning}}, true, "doctor: 1 warning", "warn  images    missing\n"},
		{"failure", diagnosis{Failures: 2, Warnings: 1, Findings: []doctor.Finding{failure}}, false,
			"doctor: 2 things to mend before desktops start, 1 warning", "fail  data      gone\n                -> make it\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := tc.d.write(&out); err != nil {
				t.Fatal(err)
			}
			err := tc.d.verdict(tc.strict)
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || err.Error() != tc.err || exitCode(err) != exitFailed) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if !strings.HasPrefix(out.String(), tc.want) {
				t.Errorf("%q, want %q", out.String(), tc.want)
			}
		})
	}
}

// doctorArgs are flags with which all is well but the images, where an engine is.
func doctorArgs(t *testing.T) []string {
	t.Helper()
	path, _ := threeApps(t)
	start, end := freeRange(t)
	return []string{"doctor", "--catalog", path, "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0",
		"--port-range-start", strconv.Itoa(start), "--port-range-end", strconv.Itoa(end)}
}

// TestDoctorOnEngines asks the real ones.
func TestDoctorOnEngines(t *testing.T) {
	for _, tc := range []struct{ name, kind, mode string }{
		{"docker", daemon.EngineDocker, ""},
		{"podman", daemon.EnginePodman, "with root"},
		{"podman-rootless", daemon.EnginePodman, "rootless"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			host := runtimetest.EngineHost(t, tc.name)
			args := append(doctorArgs(t), "--runtime", tc.kind, "--runtime-host", host)
			got := sage(t, args...)
			got.want(t, 0, "missing: localhost/t/top:1, registry.example.org/t/pulled:1, localhost/t/base:1", "")
			for _, want := range []string{"ok    engine    " + tc.kind + " ", tc.mode, "ok    clock     the engine's is ours", "  disk      images and homes are in /"} {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("no %q in %s", want, got.stdout)
				}
			}
			sage(t, append(args, "--strict")...).want(t, exitFailed, "missing: ", "doctor: ")
			var d diagnosis
			if err := json.Unmarshal([]byte(sage(t, append(args, "--output", "json")...).stdout), &d); err != nil || d.Failures != 0 || d.Warnings == 0 {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}

func TestDoctorWithoutEngine(t *testing.T) {
	args := append(doctorArgs(t), "--runtime", "docker", "--runtime-host", "unix:///nowhere/docker.sock")
	sage(t, args...).want(t, exitFailed, "docker at unix:///nowhere/docker.sock (SAGE_RUNTIME_HOST): there is no such socket", "to mend before desktops start")
	got := sage(t, append(args, "-o", "json")...)
	got.want(t, exitFailed, `"mend": "install Docker`, "to mend before desktops start")
	var d diagnosis
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil || d.Failures == 0 || len(d.Findings) < d.Failures {
		t.Errorf("%+v, %v", d, err)
	}
	sage(t, append(args, "--port-range-end", "x")...).want(t, exitUsage, "", "port-range-end")
}

// TestDoctorOnFullDisk gives it a file system of its own that is really full.
func TestDoctorOnFullDisk(t *testing.T) {
	self := asProgram(t)
	dir := filepath.Join(t.TempDir(), "full")
	script := `mkdir "$1" && mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"`
	args := append([]string{"--mount", "--map-root-user", "sh", "-c", script, "sh", dir, self}, doctorArgs(t)...)
	out, err := exec.CommandContext(t.Context(), "unshare", append(args, "--data-dir", dir, "--runtime", "docker", "--runtime-host", "unix:///nowhere")...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), dir+" is writable, where 1MiB are free: that is full") || !strings.Contains(string(out), "-> make room there") {
		t.Errorf("%v: %s", err, out)
	}
}
