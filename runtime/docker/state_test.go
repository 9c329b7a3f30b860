package docker

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"sage/runtime"
)

func TestWord(t *testing.T) {
	tests := map[string]runtime.State{
		"created":    runtime.StateCreated,
		"running":    runtime.StateRunning,
		"restarting": runtime.StateRunning,
		"paused":     runtime.StatePaused,
		"removing":   runtime.StateStopping,
		"exited":     runtime.StateExited,
		"dead":       runtime.StateExited,
	}
	for engine, want := range tests {
		t.Run(engine, func(t *testing.T) {
			if got := word(engine); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestDetail(t *testing.T) {
	inspected := func(change func(*container.InspectResponse)) container.InspectResponse {
		c := container.InspectResponse{
			ContainerJSONBase: &container.ContainerJSONBase{
				ID: "1f", Name: "/sage-1", Created: "2026-01-02T03:04:05.6Z",
				State: &container.State{
					Status: "created", StartedAt: "0001-01-01T00:00:00Z", FinishedAt: "0001-01-01T00:00:00Z",
				},
				HostConfig: &container.HostConfig{PortBindings: nat.PortMap{
					"80/tcp": {{HostIP: "127.0.0.1", HostPort: "8000"}},
					"53/udp": {{HostIP: "127.0.0.1", HostPort: "53"}},
				}},
			},
			Config: &container.Config{Image: "localhost/a:b", Labels: map[string]string{"a": "b"}},
			NetworkSettings: &container.NetworkSettings{
				Networks: map[string]*network.EndpointSettings{"bridge": {IPAddress: "172.17.0.2"}},
			},
		}
		change(&c)
		return c
	}
	common := runtime.Container{
		ID: "1f", Name: "sage-1", Image: "localhost/a:b", Labels: map[string]string{"a": "b"},
		State:     runtime.StateCreated,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC),
		Ports:     []runtime.PortBinding{{ContainerPort: 80, HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: 8000}},
	}
	started := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	tests := []struct {
		name   string
		change func(*container.InspectResponse)
		want   func(*runtime.Container)
	}{
		{"created", func(*container.InspectResponse) {}, func(*runtime.Container) {}},
		{"running", func(c *container.InspectResponse) {
			c.State.Status, c.State.StartedAt = "running", "2026-01-02T03:04:06Z"
		}, func(c *runtime.Container) {
			c.State, c.StartedAt, c.Address = runtime.StateRunning, started, netip.MustParseAddr("172.17.0.2")
		}},
		{"ended for memory", func(c *container.InspectResponse) {
			c.State.Status, c.State.StartedAt, c.State.FinishedAt = "exited", "2026-01-02T03:04:06Z", "2026-01-02T03:04:07Z"
			c.State.ExitCode, c.State.OOMKilled = 137, true
			c.NetworkSettings.Networks["bridge"].IPAddress = ""
		}, func(c *runtime.Container) {
			c.State, c.StartedAt, c.FinishedAt = runtime.StateExited, started, started.Add(time.Second)
			c.ExitCode, c.OOMKilled = 137, true
		}},
		{"ended before the engine noted the start", func(c *container.InspectResponse) {
			c.State.Status, c.State.StartedAt, c.State.FinishedAt = "exited", "2026-01-02T03:04:06Z", "2026-01-02T03:04:05.9Z"
		}, func(c *runtime.Container) {
			c.State, c.StartedAt, c.FinishedAt = runtime.StateExited, started, started
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := common
			test.want(&want)
			if got := detail(inspected(test.change)); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestValidID(t *testing.T) {
	const whole runtime.ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	tests := map[runtime.ID]bool{
		whole: true, "": false, "sage-1": false, whole[:12]: false, whole[:63] + "/": false, whole + "0": false,
	}
	for id, want := range tests {
		if validID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

func TestWholeSeconds(t *testing.T) {
	tests := map[time.Duration]int{
		-time.Second: 0, 0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, 2500 * time.Millisecond: 3,
	}
	for grace, want := range tests {
		if got := wholeSeconds(grace); got != want {
			t.Errorf("%v: got %d, want %d", grace, got, want)
		}
	}
}
