package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sys/unix"

	"sage/catalog"
	"sage/cmd/internal/daemon"
	"sage/httpapi/api"
	"sage/httpapi/client"
	"sage/runtime"
)

// answerTimeout is how long a sage on the listen address may take to answer.
const answerTimeout = 5 * time.Second

// openFunc is daemon.OpenRuntime.
type openFunc func(context.Context, daemon.Engine, *slog.Logger) (runtime.Runtime, runtime.Info, error)

// examine looks at everything that a daemon with these settings would need.
func examine(ctx context.Context, cfg daemon.Config, open openFunc) []finding {
	var found []finding
	found = append(found, examineSettings(cfg)...)
	apps, findings := examineCatalog(cfg.Catalog)
	found = append(found, findings...)
	found = append(found, examineEngine(ctx, cfg, open, apps)...)
	found = append(found, examinePorts(cfg.PortStart, cfg.PortEnd))
	found = append(found, examineListen(ctx, cfg.Listen))
	return append(found, examineDataDir(cfg.DataDir))
}

func examineSettings(cfg daemon.Config) []finding {
	var found []finding
	for _, err := range each(cfg.Validate()) {
		found = append(found, fail("settings", "", "%v", err))
	}
	if found == nil {
		found = []finding{ok("settings", "no contradiction in flags, environment and settings file")}
	}
	return found
}

// examineCatalog gives no catalog where there is none to be used.
func examineCatalog(path string) (*catalog.Catalog, []finding) {
	apps, err := catalog.Load(path)
	if err == nil {
		return apps, []finding{ok("catalog", "%s: %s", path, strings.Join(appIDs(apps), ", "))}
	}
	f := fail("catalog", "", "%s", count(len(each(err)), "problem"))
	for _, problem := range each(err) {
		f.more = append(f.more, problem.Error())
	}
	f.more = append(f.more, "-> mend the file, or choose another one with --catalog or SAGE_CATALOG")
	return nil, []finding{f}
}

func examineEngine(ctx context.Context, cfg daemon.Config, open openFunc, apps *catalog.Catalog) []finding {
	rt, info, err := open(ctx, cfg.Engine, cfg.Logger)
	if err != nil {
		f := fail("engine", "", "no container engine answers")
		for _, tried := range each(err) {
			f.more = append(f.more, strings.ReplaceAll(tried.Error(), "\n", " "))
		}
		f.more = append(f.more, "-> start Docker or Podman, or name one with SAGE_RUNTIME and SAGE_RUNTIME_HOST")
		return []finding{f}
	}
	mode := "with root"
	if info.Rootless {
		mode = "rootless"
	}
	found := []finding{ok("engine", "%s %s, API %s, %s, at %s", info.Backend, info.Version, info.APIVersion, mode, info.Host)}
	found = append(found, examineLimits(info)...)
	if apps != nil {
		found = append(found, examineImages(ctx, rt, apps)...)
	}
	if err := rt.Close(); err != nil {
		found = append(found, warn("engine", "", "taking leave of it: %v", err))
	}
	return found
}

// examineLimits tells what the engine honours. What it warns of explains what
// it does not.
func examineLimits(info runtime.Info) []finding {
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
		f := warn("limits", "", "not honoured here: %s (%s)", strings.Join(ignored, ", "), cgroup)
		for _, text := range info.Warnings {
			f.more = append(f.more, "-> "+text)
		}
		return []finding{f}
	}
	found := []finding{ok("limits", "honoured: %s (%s)", strings.Join(honoured, ", "), cgroup)}
	for _, text := range info.Warnings {
		found = append(found, warn("engine", "", "%s", text))
	}
	return found
}

func examineImages(ctx context.Context, rt runtime.Runtime, apps *catalog.Catalog) []finding {
	var missing, mends []string
	for _, app := range apps.Apps {
		id, err := imageID(ctx, rt, app.Image)
		if err != nil {
			return []finding{fail("images", "", "app %s: %v", app.ID, err)}
		}
		if id != "" {
			continue
		}
		missing = append(missing, app.Image)
		mend := "sage build"
		if app.Build == nil {
			mend = "sage pull"
		}
		if len(mends) == 0 || mends[len(mends)-1] != mend {
			mends = append(mends, mend)
		}
	}
	if len(missing) == 0 {
		return []finding{ok("images", "all of the catalog are on the engine; \"sage build\" renews outdated ones")}
	}
	return []finding{warn("images", strings.Join(mends, " and ")+" (else the first start of such an app does it, and takes as long)",
		"missing: %s", strings.Join(missing, ", "))}
}

// examinePorts counts the ports on which somebody listens. Desktops that run do
// so, too.
func examinePorts(start, end int) finding {
	if start < 1 || end > 65536 || start >= end {
		return fail("ports", "set PORT_RANGE_START below PORT_RANGE_END", "the range [%d, %d) has no port", start, end)
	}
	held := 0
	for port := start; port < end; port++ {
		if free, _ := bindable(net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); !free {
			held++
		}
	}
	const mend = "stop what listens there, or choose another range with PORT_RANGE_START and PORT_RANGE_END"
	switch all := end - start; {
	case held == all:
		return fail("ports", mend, "every port of [%d, %d) is taken", start, end)
	case held*2 > all:
		return warn("ports", mend, "only %d of %d in [%d, %d) are free", all-held, all, start, end)
	default:
		return ok("ports", "%d of %d in [%d, %d) are free", all-held, all, start, end)
	}
}

// bindable tells whether nobody listens on an address.
func bindable(address string) (bool, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false, err
	}
	return true, l.Close()
}

func examineListen(ctx context.Context, address string) finding {
	free, err := bindable(address)
	switch {
	case free:
		return ok("listen", "%s is free", address)
	case !errors.Is(err, syscall.EADDRINUSE):
		return fail("listen", "choose another address with --listen or SAGE_LISTEN", "%s: %v", address, err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fail("listen", "", "%s: %v", address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	sage, err := client.New("http://"+net.JoinHostPort(host, port), client.Options{})
	if err != nil {
		return fail("listen", "", "%s: %v", address, err)
	}
	health, err := sage.Ready(ctx)
	var refused *client.Error
	switch {
	case err == nil && health.Status != "":
		return ok("listen", "sage %s serves on %s already, with %s", health.Version, address, cmp.Or(engineName(health.Engine), "no engine"))
	case errors.As(err, &refused) && refused.Code != client.CodeForeign:
		return warn("listen", "see its log", "a sage serves on %s already, and is not well: %v", address, err)
	default:
		return fail("listen", "stop that program, or choose another address with --listen or SAGE_LISTEN",
			"%s is taken by a program that is not sage", address)
	}
}

// examineDataDir tests without making anything: a directory that is not there
// is made by the daemon.
func examineDataDir(dir string) finding {
	const mend = "make it writable for this user, or choose another one with --data-dir or SAGE_DATA_DIR"
	path, err := filepath.Abs(dir)
	if err != nil {
		return fail("data", mend, "%s: %v", dir, err)
	}
	for there := path; ; there = filepath.Dir(there) {
		info, err := os.Stat(there)
		if errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there) {
			continue
		}
		if err == nil && !info.IsDir() {
			err = syscall.ENOTDIR
		}
		if err == nil {
			err = unix.Access(there, unix.W_OK|unix.X_OK)
		}
		switch {
		case err != nil:
			return fail("data", mend, "%s cannot be written to: %s: %v", dir, there, err)
		case there != path:
			return ok("data", "%s will be made", dir)
		default:
			return ok("data", "%s is writable", dir)
		}
	}
}

func engineName(e *api.Engine) string {
	if e == nil {
		return ""
	}
	return e.Backend + " " + e.Version
}

// each are the single errors of one that gathers several.
func each(err error) []error {
	var all *multierror.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &all):
		return all.Errors
	default:
		return []error{err}
	}
}
