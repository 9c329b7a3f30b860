package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/urfave/cli/v2"
	"github.com/urfave/cli/v2/altsrc"

	"sage/cmd/internal/daemon"
)

// configFlag names the settings file; the other flags may stand in it under
// their own names.
const configFlag = "config"

// withFile lets the settings file fill in what neither flag nor environment
// gives: default < file < environment < flag.
func withFile(c *cli.Command) *cli.Command {
	settings := c.Flags
	c.Flags = append(slices.Clip(settings), &cli.StringFlag{
		Name: configFlag, EnvVars: []string{"SAGE_CONFIG"}, Usage: "YAML `FILE` with settings, named like these flags",
	})
	c.Before = func(ctx *cli.Context) error {
		path := ctx.String(configFlag)
		if path == "" {
			return nil
		}
		values, err := readSettings(path)
		if err == nil {
			err = daemon.CheckNotShared(path)
		}
		if err == nil {
			err = altsrc.ApplyInputSourceValues(ctx, altsrc.NewMapInputSource(path, values), settings)
		}
		if err != nil {
			return usagef("settings file %s: %w", path, err)
		}
		return nil
	}
	return c
}

// readSettings reads a settings file. One file serves every command, so all
// settings are known to all of them and any other name is a mistake.
func readSettings(path string) (map[any]any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var given map[string]any
	if err := yaml.Unmarshal(data, &given); err != nil {
		return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	known := map[string]cli.Flag{}
	for _, f := range allSettings() {
		known[f.Names()[0]] = f
	}
	values := map[any]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		flag, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("%q is not a setting: use one of %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if values[name], err = settingValue(flag, given[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return values, nil
}

// settingValue is a value in the type that its flag wants, which is not always
// the one that YAML takes it for: a time may be a number of seconds.
func settingValue(flag cli.Flag, value any) (any, error) {
	switch flag.(type) {
	case *altsrc.IntFlag:
		// A port is the largest number.
		if n, ok := value.(uint64); ok && n < 1<<31 {
			return int(n), nil
		}
		if n, ok := value.(int64); ok && n > -(1<<31) {
			return int(n), nil
		}
		return nil, fmt.Errorf("%v is not a whole number", value)
	case *altsrc.BoolFlag:
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("%v is neither true nor false", value)
	case *altsrc.StringSliceFlag:
		items, ok := value.([]any)
		if !ok {
			items = []any{value}
		}
		texts := make([]any, len(items))
		for i, item := range items {
			text, err := scalar(item)
			if err != nil {
				return nil, err
			}
			texts[i] = text
		}
		return texts, nil
	default:
		return scalar(value)
	}
}

// scalar is a text, or what YAML takes for something else but reads like one.
func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case uint64, int64, float64, bool:
		return fmt.Sprint(v), nil
	default:
		return "", fmt.Errorf("%v is not a single value", value)
	}
}

// allSettings are the flags of every command that may stand in a settings file.
func allSettings() []cli.Flag {
	return slices.Concat(engineFlags(), catalogFlags(), serverFlags(), desktopFlags(), clientFlags()[:1])
}
