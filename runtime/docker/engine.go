package docker

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"

	"sage/runtime"
)

// bridge is the network of containers that are put on no other.
const bridge = "bridge"

// engine is one engine as it described itself. It does not change.
type engine struct {
	api *client.Client
	// offered is the API version that the engine offers, which may be above the
	// one in use.
	offered string
	// address is where ports that are published on every address are found.
	address string
	// logDriver is what containers write their output with; empty means the
	// engine's default.
	logDriver string
	info      runtime.Info
}

// ask asks the engine who it is, through a client that has negotiated.
func ask(ctx context.Context, api *client.Client) (*engine, error) {
	info, err := api.Info(ctx)
	if err != nil {
		return nil, err
	}
	e := &engine{
		api:       api,
		address:   engineAddress(api.DaemonHost()),
		logDriver: logDriver(info.Plugins.Log),
		info:      describe(info),
	}
	e.info.Host = api.DaemonHost()
	e.info.APIVersion = api.ClientVersion()
	if e.info.Capabilities.ContainerAddress, err = bridgeReachable(ctx, api, e.info.Rootless, info.Name); err != nil {
		return nil, err
	}
	if err := e.lookAround(ctx); err != nil {
		return nil, err
	}
	if e.info.Subnets, err = e.subnets(ctx); err != nil {
		e.info.Warnings = append(e.info.Warnings, runtime.WarnSubnets(err))
	}
	return e, nil
}

// describe is what the engine said, in the caller's own copy.
func (e *engine) describe() runtime.Info {
	info := e.info
	info.Warnings = slices.Clone(info.Warnings)
	info.Networks = slices.Clone(info.Networks)
	info.Published, info.Subnets = slices.Clone(info.Published), slices.Clone(info.Subnets)
	return info
}

// describe translates what an engine says of itself.
func describe(info system.Info) runtime.Info {
	out := runtime.Info{
		Backend: backend,
		Version: info.ServerVersion,
		Storage: info.DockerRootDir,
		Rootless: slices.ContainsFunc(info.SecurityOptions, func(option string) bool {
			return option == "rootless" || strings.Contains(option, "name=rootless")
		}),
		Capabilities: runtime.Capabilities{
			CPULimit:     info.CPUCfsQuota,
			MemoryLimit:  info.MemoryLimit,
			PIDsLimit:    info.PidsLimit,
			OOMReport:    info.MemoryLimit,
			Stats:        info.CgroupDriver != "none",
			PullProgress: true,
		},
	}
	if version, err := strconv.Atoi(info.CgroupVersion); err == nil {
		out.CgroupVersion = version
	}
	out.Warnings = warnings(info)
	return out
}

// warnings are the engine's own and what the limits mean that it cannot set.
func warnings(info system.Info) []string {
	var out []string
	note := func(missing bool, text string) {
		if missing {
			out = append(out, text)
		}
	}
	note(!info.MemoryLimit, "the engine cannot limit memory on this host: one container may use all of it")
	note(info.MemoryLimit && !info.SwapLimit, "the engine cannot limit swap on this host: a container may use swap beyond its memory limit")
	note(!info.CPUCfsQuota, "the engine cannot limit CPU time on this host: one container may use every core")
	note(!info.PidsLimit, "the engine cannot limit the number of processes on this host")
	note(!info.IPv4Forwarding, "IPv4 forwarding is off on this host: containers cannot reach the network (sysctl net.ipv4.ip_forward=1)")
	for _, warning := range info.Warnings {
		text := strings.TrimSpace(strings.TrimPrefix(warning, "WARNING:"))
		if text != "" && !said(text) {
			out = append(out, text)
		}
	}
	return out
}

// said tells whether an engine's warning is one of those above in other words.
func said(warning string) bool {
	for _, subject := range []string{
		"memory limit", "swap limit", "cpu cfs quota", "cpu cfs period", "pids limit", "IPv4 forwarding",
	} {
		if strings.Contains(strings.ToLower(warning), strings.ToLower(subject)) {
			return true
		}
	}
	return false
}

// logDriver chooses a driver that can be read and bounded, out of those that
// the engine has.
func logDriver(drivers []string) string {
	for _, driver := range []string{"json-file", "local"} {
		if slices.Contains(drivers, driver) {
			return driver
		}
	}
	return ""
}

// engineAddress is the host on which an engine publishes its ports: this one,
// or that of a remote engine.
func engineAddress(host string) string {
	if address, err := url.Parse(host); err == nil && address.Scheme != "unix" && address.Scheme != "npipe" {
		return address.Hostname()
	}
	return ""
}

// bridgeReachable tells whether the addresses of containers can be reached from
// this process: when it is on the engine's host, or in a container on the same
// bridge. It is not where the engine is in a virtual machine (Docker Desktop) or
// in a namespace of its own (rootless), or where this process is in a container
// on another network. That the engine's socket is a local one proves nothing, as
// it may be forwarded.
func bridgeReachable(ctx context.Context, api *client.Client, rootless bool, host string) (bool, error) {
	if rootless || goruntime.GOOS != "linux" || !strings.HasPrefix(api.DaemonHost(), "unix://") {
		return false, nil
	}
	found, err := api.NetworkInspect(ctx, bridge, network.InspectOptions{})
	if err != nil {
		if kindOf("ping", err) == runtime.ErrNotFound {
			return false, nil
		}
		return false, err
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false, nil //nolint:nilerr // Who does not know its addresses takes the published port.
	}
	name, err := os.Hostname()
	return onBridge(found, own, err == nil && name == host), nil
}

// onBridge tells whether one of a process's own addresses is in the bridge's
// network: that of the host, when it is the engine's, or that of a container
// which the engine knows.
func onBridge(bridge network.Inspect, own []net.Addr, sameHost bool) bool {
	for _, mine := range own {
		address, err := netip.ParsePrefix(mine.String())
		if err != nil {
			continue
		}
		for _, config := range bridge.IPAM.Config {
			subnet, err := netip.ParsePrefix(config.Subnet)
			if err == nil && subnet.Contains(address.Addr()) && sameHost {
				return true
			}
		}
		for _, endpoint := range bridge.Containers {
			known, err := netip.ParsePrefix(endpoint.IPv4Address)
			if err == nil && known.Addr() == address.Addr() {
				return true
			}
		}
	}
	return false
}
