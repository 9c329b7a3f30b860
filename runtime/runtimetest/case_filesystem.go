package runtimetest

import (
	"cmp"
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func fileSystemCases() []testCase {
	const mebibyte = 1 << 20
	return []testCase{
		{"the root file system is writable unless it is read-only", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			if !s.run(t, spec).write(t, HomePath+"/new", "x") {
				t.Error("cannot write to the image's home")
			}
			spec = s.spec(t, app.HTTPPort)
			spec.ReadOnly = true
			spec.Tmpfs = []runtime.TmpfsMount{{Path: "/tmp"}}
			spec.Volumes = []runtime.VolumeMount{{Volume: s.volume(t), Path: HomePath + "/volume"}}
			p := s.run(t, spec)
			if p.write(t, HomePath+"/new", "x") {
				t.Error("wrote to a read-only file system")
			}
			if !p.write(t, "/tmp/new", "x") {
				t.Error("cannot write to a memory file system")
			}
		}},
		{"memory file systems have their size", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Tmpfs = []runtime.TmpfsMount{{Path: "/tmp", Bytes: 16 * mebibyte}, {Path: "/run/user"}}
			p := s.run(t, spec)
			if got := p.size(t, "/tmp"); got != 16*mebibyte {
				t.Errorf("/tmp has %d bytes, want %d", got, 16*mebibyte)
			}
			for _, path := range []string{"/tmp/new", "/run/user/new"} {
				if !p.write(t, path, "content") {
					t.Errorf("cannot write %s", path)
				}
				if got := p.read(t, path); got != "content" {
					t.Errorf("%s holds %q", path, got)
				}
			}
		}},
		{"shared memory is writable and has its size", func(t *testing.T, s *scope) {
			for _, readOnly := range []bool{false, true} {
				for _, bytes := range []int64{0, 32 * mebibyte} {
					spec := s.spec(t, app.HTTPPort)
					spec.ReadOnly = readOnly
					spec.Limits.ShmBytes = bytes
					p := s.run(t, spec)
					if got, want := p.size(t, "/dev/shm"), cmp.Or(bytes, 64*mebibyte); got != want {
						t.Errorf("read-only %t: /dev/shm has %d bytes, want %d", readOnly, got, want)
					}
					if !p.write(t, "/dev/shm/new", "x") {
						t.Errorf("read-only %t: cannot write to /dev/shm", readOnly)
					}
					p.wantMount(t, "/dev/shm", "rw", "nosuid", "nodev", "noexec")
				}
			}
		}},
		{"everything at once", func(t *testing.T, s *scope) {
			// This is what a desktop asks for.
			spec := s.spec(t, app.HTTPPort)
			spec.Hostname = "desktop"
			spec.ReadOnly = true
			spec.Tmpfs = []runtime.TmpfsMount{{Path: "/tmp", Bytes: 64 * mebibyte}, {Path: "/run"}}
			spec.Volumes = []runtime.VolumeMount{{Volume: s.volume(t), Path: HomePath}}
			spec.Limits = runtime.Limits{CPUs: 1.5, MemoryBytes: 256 * mebibyte, PIDs: 200, ShmBytes: 64 * mebibyte}
			p := s.run(t, spec)
			if !p.write(t, HomePath+"/new", "x") || !p.write(t, "/tmp/new", "x") || !p.write(t, "/dev/shm/new", "x") {
				t.Error("cannot write where a desktop writes")
			}
			if p.write(t, "/new", "x") {
				t.Error("wrote to a read-only file system")
			}
		}},
	}
}
