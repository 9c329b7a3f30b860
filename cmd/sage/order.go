package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves the flags of a command before its arguments: cli stops
// looking for flags at the first argument, and "sage stop UID --purge" must not
// stop without purging. What follows "--" is left alone.
func flagsFirst(app *cli.App, args []string) []string {
	head, rest := args[:1:1], args[1:]
	commands, flags := app.Commands, app.Flags
	for len(rest) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			break
		}
		head, rest = append(head, rest[0]), rest[1:]
		commands, flags = commands[i].Subcommands, commands[i].Flags
	}
	var moved, plain []string
	for len(rest) > 0 && rest[0] != "--" {
		arg := rest[0]
		rest = rest[1:]
		if len(arg) < 2 || arg[0] != '-' {
			plain = append(plain, arg)
			continue
		}
		moved = append(moved, arg)
		if takesNext(flags, arg) && len(rest) > 0 {
			moved, rest = append(moved, rest[0]), rest[1:]
		}
	}
	return slices.Concat(head, moved, plain, rest)
}

// takesNext tells whether arg is a flag whose value is the next argument.
func takesNext(flags []cli.Flag, arg string) bool {
	d, ok := findFlag(flags, arg).(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// findFlag gives the flag that arg is, dashes and all, or nil.
func findFlag(flags []cli.Flag, arg string) cli.Flag {
	name := strings.TrimLeft(arg, "-")
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}
