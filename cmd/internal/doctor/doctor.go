// Package doctor looks whether a machine has everything that desktops need, and
// says how to mend what is not right.
//
// It promises to change nothing, to answer soon, and to name a mend with every
// finding that is not well. It takes the settings of a daemon and finds the
// engine as the daemon does; how findings are shown is its caller's affair.
package doctor

import (
	"context"
	"fmt"
	"log/slog"

	"sage/cmd/internal/daemon"
	"sage/runtime"
)

// Mark is what a finding means.
type Mark string

// The marks: all is well, something is worse than it could be, desktops will
// not start.
const (
	OK   Mark = "ok"
	Warn Mark = "warn"
	Fail Mark = "fail"
)

// Finding is one thing that was looked at.
type Finding struct {
	Mark Mark `json:"mark"`
	// Subject is a word for what was looked at, the same in every run.
	Subject string `json:"subject"`
	Says    string `json:"says"`
	// Details are single lines.
	Details []string `json:"details,omitempty"`
	// Mend is what to do; always there unless the mark is OK.
	Mend string `json:"mend,omitempty"`
}

func ok(subject, format string, args ...any) Finding {
	return Finding{Mark: OK, Subject: subject, Says: fmt.Sprintf(format, args...)}
}

func warn(subject, mend, format string, args ...any) Finding {
	return Finding{Mark: Warn, Subject: subject, Says: fmt.Sprintf(format, args...), Mend: mend}
}

func fail(subject, mend, format string, args ...any) Finding {
	return Finding{Mark: Fail, Subject: subject, Says: fmt.Sprintf(format, args...), Mend: mend}
}

// OpenFunc is daemon.OpenRuntime.
type OpenFunc func(context.Context, daemon.Engine, *slog.Logger) (runtime.Runtime, runtime.Info, error)

// Examine looks at everything that a daemon with these settings would need on
// that host.
func Examine(ctx context.Context, cfg daemon.Config, host Host, open OpenFunc) []Finding {
	found := examineSettings(cfg)
	apps, findings := examineCatalog(cfg.Catalog)
	found = append(found, findings...)

	rt, info, err := open(ctx, cfg.Engine, cfg.Logger)
	if err != nil {
		found = append(found, noEngine(host, err)...)
	} else {
		found = append(found, examineEngine(ctx, info)...)
		found = append(found, examineStorage(host, info)...)
		if apps != nil {
			found = append(found, examineImages(ctx, rt, apps, cfg.BuildArgs)...)
		}
		if err := rt.Close(); err != nil {
			found = append(found, warn("engine", "start doctor again", "taking leave of it: %v", err))
		}
	}
	if owner, rootless := rootlessOwner(host, info, err); rootless {
		found = append(found, examineRootless(host, owner, err != nil)...)
		found = append(found, examineLowPorts(host, cfg.PortStart)...)
	}
	found = append(found, examinePorts(cfg.PortStart, cfg.PortEnd))
	found = append(found, examineListen(ctx, cfg.Listen))
	return append(found, examineDataDir(host, cfg.DataDir)...)
}
