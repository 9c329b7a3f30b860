package doctor

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"sage/cmd/internal/daemon"
	"sage/runtime"
)

// noEngine says why none answers: what is wrong at each place where one was
// looked for.
func noEngine(host Host, err error) []Finding {
	tried := []error{err}
	var all *multierror.Error
	if errors.As(err, &all) {
		tried = all.Errors
	}
	var found []Finding
	for _, err := range tried {
		var place *daemon.PlaceError
		if errors.As(err, &place) {
			found = append(found, atPlace(host, place))
		} else {
			found = append(found, fail("engine", "install Docker or Podman, or name an engine with SAGE_RUNTIME and SAGE_RUNTIME_HOST", "%v", oneLine(err)))
		}
	}
	if len(found) == 1 {
		return found
	}
	// One of the places has to be mended, not all of them.
	for i := range found {
		found[i].Mark = Warn
	}
	return append([]Finding{fail("engine", "do one of the following, or name an engine with SAGE_RUNTIME and SAGE_RUNTIME_HOST",
		"no container engine answers")}, found...)
}

// atPlace says what is wrong at one place.
func atPlace(host Host, place *daemon.PlaceError) Finding {
	where := place.Kind + " at " + place.Host + " (" + place.From + ")"
	if errors.Is(place.Err, runtime.ErrUnsupported) {
		return fail("engine", "update the engine: Sage speaks Docker's API from 1.24 on and Podman's from 4.0 on; if the engine is the newer one, update Sage",
			"%s speaks another version of the API: %s", where, oneLine(place.Err))
	}
	path, local := strings.CutPrefix(place.Host, "unix://")
	if !local {
		return fail("engine", "start the engine there and let it listen, or name another one with SAGE_RUNTIME_HOST",
			"%s does not answer: %s", where, oneLine(place.Err))
	}
	says, mend := examineSocket(host, place.Kind, path)
	if says == "" {
		says, mend = "does not answer well: "+oneLine(place.Err), "look at the engine's log, and restart it: "+startMend(place.Kind, path)
	}
	return fail("engine", mend, "%s: %s", where, says)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// examineEngine looks at an engine that answers.
func examineEngine(ctx context.Context, info runtime.Info) []Finding {
	mode := "with root"
	if info.Rootless {
		mode = "rootless"
	}
	found := []Finding{ok("engine", "%s %s, API %s, %s, at %s", info.Backend, info.Version, info.APIVersion, mode, info.Host)}
	found = append(found, examineLimits(info)...)
	return append(found, examineClock(ctx, info.Host, time.Now)...)
}

// examineLimits tells what the engine honours. What it warns of explains what
// it does not.
func examineLimits(info runtime.Info) []Finding {
	var honoured, ignored []string
	for _, limit := range []struct {
		honoured bool
		name     string
	}{
		{info.Capabilities.CPULimit, "CPU time"},
		{info.Capabilities.MemoryLimit, "memory"},
		{info.Capabilities.PIDsLimit, "number of processes"},
	} {
		if limit.honoured {
			honoured = append(honoured, limit.name)
		} else {
			ignored = append(ignored, limit.name)
		}
	}
	cgroup := "cgroup version unknown"
	if info.CgroupVersion > 0 {
		cgroup = "cgroup version " + strconv.Itoa(info.CgroupVersion)
	}
	if len(ignored) > 0 {
		f := warn("limits", limitsMend(info.Rootless, info.CgroupVersion), "not honoured here: %s (%s)", strings.Join(ignored, ", "), cgroup)
		f.Details = info.Warnings
		return []Finding{f}
	}
	found := []Finding{ok("limits", "honoured: %s (%s)", strings.Join(honoured, ", "), cgroup)}
	for _, text := range info.Warnings {
		found = append(found, warn("engine", warningMend(info.Backend, text), "%s", text))
	}
	return found
}

// bootV2 is how a machine comes to cgroup v2.
const bootV2 = "boot with cgroup v2: systemd.unified_cgroup_hierarchy=1 on the kernel's command line"

func limitsMend(rootless bool, cgroup int) string {
	switch {
	case rootless && cgroup == 1:
		return bootV2 + "; without root, cgroup v1 has no limits"
	case rootless:
		return delegateMend
	default:
		return "switch the controllers on: cgroup_enable=memory swapaccount=1 on the kernel's command line, or " + bootV2
	}
}

// warningMend is for what an engine warns of while it honours the limits.
func warningMend(backend, text string) string {
	switch text = strings.ToLower(text); {
	case strings.Contains(text, "swap"):
		return "swapaccount=1 on the kernel's command line, or no swap (sudo swapoff -a)"
	case strings.Contains(text, "forwarding"):
		return "sudo sysctl -w net.ipv4.ip_forward=1, and a file in /etc/sysctl.d to keep it"
	case strings.Contains(text, "bridge-nf-call"):
		return "none is needed for desktops; to be rid of it: sudo modprobe br_netfilter, and set what it names to 1 with sysctl"
	default:
		return backend + " info and the engine's documentation tell more"
	}
}
