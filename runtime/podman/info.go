package podman

import (
	"slices"
	"strings"

	"github.com/containers/podman/v5/libpod/define"

	"sage/runtime"
)

// describe translates what an engine says of itself.
func describe(said *define.Info) runtime.Info {
	info := runtime.Info{
		Backend:    backend,
		Version:    said.Version.Version,
		APIVersion: said.Version.APIVersion,
	}
	if said.Store != nil {
		info.Storage = said.Store.GraphRoot
	}
	if said.Host == nil {
		return info
	}
	info.Capabilities.PullProgress = true
	info.Rootless = said.Host.Security.Rootless
	switch said.Host.CgroupsVersion {
	case "v1":
		info.CgroupVersion = 1
	case "v2":
		info.CgroupVersion = 2
	}
	// An engine without root has no part of cgroup v1, and of v2 what was
	// delegated to its user.
	if !info.Rootless || info.CgroupVersion == 2 {
		has := func(controller string) bool { return slices.Contains(said.Host.CgroupControllers, controller) }
		// Of cgroup v2 an engine may be given no part, also with root.
		info.Capabilities.Stats = info.CgroupVersion == 1 || has("memory") && has("pids")
		info.Capabilities.CPULimit = has("cpu")
		info.Capabilities.MemoryLimit = has("memory")
		info.Capabilities.PIDsLimit = has("pids")
		// On cgroup v1 the engine does not notice that the kernel killed for memory
		// (seen with 4.3); on v2 it reads that from the group itself.
		info.Capabilities.OOMReport = info.Capabilities.MemoryLimit && info.CgroupVersion == 2
	}
	info.Warnings = warnings(info)
	return info
}

// warnings are what is wrong with this host, and the mend where there is one.
func warnings(info runtime.Info) []string {
	var missing []string
	for _, limit := range []struct {
		honoured bool
		name     string
	}{
		{info.Capabilities.CPULimit, "CPU time"},
		{info.Capabilities.MemoryLimit, "memory"},
		{info.Capabilities.PIDsLimit, "the number of processes"},
	} {
		if !limit.honoured {
			missing = append(missing, limit.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	text := "the engine cannot limit " + strings.Join(missing, ", ") + " on this host"
	switch {
	case info.Rootless && info.CgroupVersion == 1:
		text += ": without root that needs cgroup v2 (boot with systemd.unified_cgroup_hierarchy=1)"
	case info.Rootless:
		text += ": delegate the controllers to the user (systemd: Delegate=cpu memory pids for user@.service)"
	}
	return []string{text}
}
