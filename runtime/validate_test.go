package runtime_test

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"sage/runtime"
)

func spec(change func(*runtime.Spec)) runtime.Spec {
	s := runtime.Spec{
		Name: "collab-vm-a", Image: "localhost/a:1",
		Env:     map[string]string{"A": "b=c"},
		Ports:   []runtime.PortBinding{{ContainerPort: 1, HostPort: 2, HostIP: netip.MustParseAddr("127.0.0.1")}},
		Volumes: []runtime.VolumeMount{{Volume: "a-home", Path: "/home/a"}},
		Tmpfs:   []runtime.TmpfsMount{{Path: "/tmp", Bytes: 1}},
		Limits:  runtime.Limits{CPUs: 0.5},
	}
	change(&s)
	return s
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*runtime.Spec)
		want   string // Part of the error; empty for none.
	}{
		{"good", func(*runtime.Spec) {}, ""},
		{"no name", func(s *runtime.Spec) { s.Name = "" }, "container name"},
		{"name like an option", func(s *runtime.Spec) { s.Name = "-a" }, "container name"},
		{"no image", func(s *runtime.Spec) { s.Image = "" }, "no image"},
		{"environment name", func(s *runtime.Spec) { s.Env["A=B"] = "" }, "environment variable"},
		{"environment value", func(s *runtime.Spec) { s.Env["A"] = "\x00" }, "environment variable"},
		{"host port left to the engine", func(s *runtime.Spec) { s.Ports[0].HostPort = 0 }, "required"},
		{"no host address", func(s *runtime.Spec) { s.Ports[0].HostIP = netip.Addr{} }, "required"},
		{"volume name that is a path", func(s *runtime.Spec) { s.Volumes[0].Volume = "/etc" }, "volume name"},
		{"relative volume path", func(s *runtime.Spec) { s.Volumes[0].Path = "home" }, "not absolute"},
		{"relative tmpfs path", func(s *runtime.Spec) { s.Tmpfs[0].Path = "tmp" }, "absolute"},
		{"two mounts at one path", func(s *runtime.Spec) { s.Tmpfs[0].Path = s.Volumes[0].Path }, "something else"},
		{"negative limit", func(s *runtime.Spec) { s.Limits.PIDs = -1 }, "negative"},
		{"no number", func(s *runtime.Spec) { s.Limits.CPUs = math.NaN() }, "negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := spec(tt.change)
			err := s.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSelectorMatches(t *testing.T) {
	s := runtime.Selector{Labels: map[string]string{"uid": "alice", "empty": ""}}
	for _, tt := range []struct {
		labels map[string]string
		want   bool
	}{
		{map[string]string{"uid": "alice", "empty": "", "more": "x"}, true},
		{map[string]string{"uid": "alice"}, false},
		{map[string]string{"uid": "alice-2", "empty": ""}, false},
		{nil, false},
	} {
		if got := s.Matches("name", tt.labels); got != tt.want {
			t.Errorf("%v: got %t", tt.labels, got)
		}
	}
	prefix := runtime.Selector{NamePrefix: "vm.a-"}
	for name, want := range map[string]bool{"vm.a-": true, "vm.a-lice": true, "vmxa-lice": false, "vm.a": false, "my-vm.a-": false} {
		if got := prefix.Matches(name, nil); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	if !(runtime.Selector{}).Empty() || prefix.Empty() || s.Empty() {
		t.Error("what is empty?")
	}
}
