package main

import (
	"fmt"
	"io"
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
		Flags:    []cli.Flag{&cli.BoolFlag{Name: "short", Usage: "only the version"}, outputFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			b := describeBuild(programVersion(), buildInfo())
			return show(c, b, func(w io.Writer) error {
				text := b.String()
				if c.Bool("short") {
					text = b.Version
				}
				_, err := fmt.Fprintln(w, text)
				return err
			})
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

// buildInfo is what the Go toolchain wrote into the program, or nothing.
func buildInfo() *debug.BuildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return &debug.BuildInfo{}
	}
	return info
}

// build is what is known of this program's making.
type build struct {
	Version  string `json:"version"`
	Go       string `json:"go,omitempty"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Platform string `json:"platform,omitempty"`
}

// describeBuild takes from info what it knows of the source.
func describeBuild(version string, info *debug.BuildInfo) build {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	b := build{Version: version, Go: info.GoVersion, Commit: settings["vcs.revision"], Modified: settings["vcs.modified"] == "true"}
	if os, arch := settings["GOOS"], settings["GOARCH"]; os != "" {
		b.Platform = os + "/" + arch
	}
	return b
}

func (b build) String() string {
	text := "sage " + b.Version
	if b.Go != "" {
		text += ", " + b.Go
	}
	if b.Commit != "" {
		text += ", commit " + b.Commit
		if b.Modified {
			text += " with changes"
		}
	}
	if b.Platform != "" {
		text += ", " + b.Platform
	}
	return text
}
