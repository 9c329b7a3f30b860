package main

import (
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// version is set by the linker; see the Makefile.
var version = ""

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:     "version",
		Usage:    "say which sage this is",
		Category: groupWorkshop,
		Flags:    []cli.Flag{&cli.BoolFlag{Name: "short", Usage: "only the version"}},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if c.Bool("short") {
				_, err := fmt.Fprintln(c.App.Writer, programVersion())
				return err
			}
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(c.App.Writer, describeBuild(programVersion(), info))
			return err
		},
	}
}

// programVersion is the linker's word, else what the module system knows.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// describeBuild says the version and what the build knows of its source; info
// may be nil.
func describeBuild(version string, info *debug.BuildInfo) string {
	text := "sage " + version
	if info == nil {
		return text
	}
	text += ", " + info.GoVersion
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		text += ", commit " + commit
		if settings["vcs.modified"] == "true" {
			text += " with changes"
		}
	}
	if os, arch := settings["GOOS"], settings["GOARCH"]; os != "" {
		text += ", " + os + "/" + arch
	}
	return text
}
