package runtimetest

import (
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
		{"shared memory has its size", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort)
			spec.Limits.ShmBytes = 32 * mebibyte
			p := s.run(t, spec)
			if got := p.size(t, "/dev/shm"); got != 32*mebibyte {
				t.Errorf("/dev/shm has %d bytes, want %d", got, 32*mebibyte)
			}
			if !p.write(t, "/dev/shm/new", "x") {
				t.Error("cannot write to /dev/shm")
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
