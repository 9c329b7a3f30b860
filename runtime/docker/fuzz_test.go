package docker

import (
	"encoding/json"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/system"

	"sage/runtime"
)

// FuzzAnswers: nothing that an engine, or somebody in its place, answers ends the
// process.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"Id":"a","Name":"/x","Created":"2026-11-28T20:00:00Z","State":{"Status":"running","StartedAt":"x"},"Config":{"Labels":{"a":"b"}},"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"99999"}]}},"NetworkSettings":{"Networks":{"bridge":null},"Ports":{"80/tcp":null,"/":[{}]}}}`,
		`{"Id":"","State":null}`,
		`{"Id":"a","Names":[],"State":"","Created":-1,"Ports":[{}]}`,
		`{"ServerVersion":"","CgroupVersion":"x","SecurityOptions":[""],"Plugins":{"Log":null}}`,
		`{"read":"2026-11-28T20:00:00Z","cpu_stats":{"cpu_usage":{"total_usage":18446744073709551615}},"memory_stats":{"usage":1,"stats":{"inactive_file":2}},"networks":{"":{}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var c container.InspectResponse
		if json.Unmarshal(data, &c) == nil && whole(c) == nil {
			detail(c)
			networksOf(c)
			(&engine{info: runtime.Info{Capabilities: runtime.Capabilities{ContainerAddress: true}}}).ways(c, 80)
		}
		var s container.Summary
		if json.Unmarshal(data, &s) == nil {
			summary(s)
		}
		var i system.Info
		if json.Unmarshal(data, &i) == nil {
			describe(i)
			logDriver(i.Plugins.Log)
		}
		var u container.StatsResponse
		if json.Unmarshal(data, &u) == nil {
			stats(u)
		}
	})
}
