package podman

import (
	"encoding/json"
	"testing"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/domain/entities/types"
)

// FuzzAnswers: nothing that an engine, or somebody in its place, answers ends the
// process.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"Id":"a","Name":"x","State":{"Status":"running","Pid":-1},"Config":null,"NetworkSettings":{"IPAddress":"x","Networks":{"podman":null},"Ports":{"80/tcp":[{"HostPort":"99999"}],"/":null}}}`,
		`{"Id":"","State":null}`,
		`{"Id":"a","Names":null,"State":"x","Labels":null}`,
		`{"host":{"cgroupVersion":"v3","security":{}},"store":null,"version":{}}`,
		`{"SystemNano":18446744073709551615,"CPUNano":1,"NetInput":1,"NetOutput":null,"Network":{"":{}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var c *define.InspectContainerData
		if json.Unmarshal(data, &c) == nil && whole(c) == nil {
			inspected(c)
			networksOf(c.NetworkSettings)
		}
		var l types.ListContainer
		if json.Unmarshal(data, &l) == nil {
			listed(&l)
		}
		var i define.Info
		if json.Unmarshal(data, &i) == nil {
			describe(&i)
		}
		var u usage
		if json.Unmarshal(data, &u) == nil {
			stats(u)
		}
	})
}
