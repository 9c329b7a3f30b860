package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/urfave/cli/v2"

	"sage/catalog"
)

// completeTimeout bounds what a person waits for after the Tab key.
const completeTimeout = 3 * time.Second

// asksCompletion tells whether a shell's script asks how a line may go on, and
// gives the words after the program's name, of which the last one is begun.
// Docker's CLI asks its plugins in the same way, with the plugin's name first.
func asksCompletion(args []string) (words []string, asks bool) {
	if len(args) < 3 || args[1] != cobra.ShellCompRequestCmd {
		return nil, false
	}
	words = args[2:]
	if isPlugin(args[0]) && words[0] == pluginName {
		words = words[1:]
	}
	return words, len(words) > 0
}

// candidate is one way to go on.
type candidate struct{ word, about string }

// candidates are ways to go on, or the shell's own for files.
type candidates struct {
	words []candidate
	files bool
}

// complete answers in the words of Cobra's scripts: candidates, each with a
// tabulator and what it is about, then a line that tells how to take them.
func complete(ctx context.Context, app *cli.App, words []string, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	found := goOn(ctx, app, words)
	directive := cobra.ShellCompDirectiveNoFileComp
	if found.files {
		directive = cobra.ShellCompDirectiveDefault
	}
	for _, c := range found.words {
		about, _, _ := strings.Cut(c.about, "\n")
		fmt.Fprintf(w, "%s\t%s\n", c.word, about)
	}
	_, err := fmt.Fprintf(w, ":%d\n", directive)
	return err
}

// goOn finds the ways to go on after words, the last of which is begun.
func goOn(ctx context.Context, app *cli.App, words []string) candidates {
	whole, begun := words[:len(words)-1], words[len(words)-1]
	line := readLine(app, whole)
	switch name, value, valued := strings.Cut(begun, "="); {
	case line.awaits != nil:
		return line.values(ctx, app, line.awaits).beginning("", begun)
	case strings.HasPrefix(begun, "-") && valued:
		flag := findFlag(line.flags, name)
		if flag == nil {
			return candidates{}
		}
		return line.values(ctx, app, flag).beginning(name+"=", value)
	case strings.HasPrefix(begun, "-"):
		return flagNames(line.flags).beginning("", begun)
	case line.args == 0 && len(line.commands) > 0:
		return commandNames(line.commands).beginning("", begun)
	default:
		return line.arguments(ctx, app).beginning("", begun)
	}
}

// beginning keeps what begins with text, and puts prefix before it.
func (c candidates) beginning(prefix, text string) candidates {
	kept := candidates{files: c.files}
	for _, one := range c.words {
		if strings.HasPrefix(one.word, text) {
			kept.words = append(kept.words, candidate{prefix + one.word, one.about})
		}
	}
	return kept
}

// line is what was typed so far.
type line struct {
	// path are the names of command and subcommand, given its flags with their
	// values.
	path, given []string
	command     *cli.Command
	commands    []*cli.Command
	flags       []cli.Flag
	// args is the number of arguments that are no commands.
	args int
	// awaits is the flag whose value comes next, or nil.
	awaits cli.Flag
}

func readLine(app *cli.App, words []string) line {
	l := line{commands: app.Commands, flags: app.Flags}
	for _, word := range words {
		switch {
		case l.awaits != nil:
			l.given = append(l.given, word)
			l.awaits = nil
		case len(word) > 1 && word[0] == '-':
			l.given = append(l.given, word)
			if takesNext(l.flags, word) {
				l.awaits = findFlag(l.flags, word)
			}
		default:
			l.take(word)
		}
	}
	return l
}

// take is for a word that is no flag.
func (l *line) take(word string) {
	for _, c := range l.commands {
		if l.args == 0 && c.HasName(word) {
			l.path = append(l.path, c.Name)
			l.command, l.commands, l.flags = c, c.Subcommands, c.Flags
			return
		}
	}
	l.args++
}

func commandNames(commands []*cli.Command) candidates {
	var out candidates
	for _, c := range commands {
		if !c.Hidden {
			out.words = append(out.words, candidate{c.Name, c.Usage})
		}
	}
	return out
}

func flagNames(flags []cli.Flag) candidates {
	var out candidates
	for _, f := range flags {
		if isHidden(f) {
			continue
		}
		about := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			about = strings.ReplaceAll(d.GetUsage(), "`", "")
		}
		out.words = append(out.words, candidate{"--" + f.Names()[0], about})
	}
	out.words = append(out.words, candidate{"--help", "show help"})
	return out
}

// values are those of a flag: some flags have few, the others' usage says what
// they name.
func (l line) values(ctx context.Context, app *cli.App, flag cli.Flag) candidates {
	var out candidates
	for _, value := range fewValues(flag.Names()[0]) {
		out.words = append(out.words, candidate{word: value})
	}
	if out.words != nil {
		return out
	}
	if d, ok := flag.(cli.DocGenerationFlag); ok {
		_, rest, _ := strings.Cut(d.GetUsage(), "`")
		named, _, _ := strings.Cut(rest, "`")
		return l.named(ctx, app, named)
	}
	return out
}

// fewValues are the values of a flag that has few.
func fewValues(flag string) []string {
	switch flag {
	case "output":
		return []string{formTable, formJSON}
	case "runtime":
		return []string{"auto", "docker", "podman"}
	case "log-format":
		return []string{"auto", "text", "json"}
	case "log-level":
		return []string{"debug", "info", "warn", "error"}
	default:
		return nil
	}
}

// arguments are those of the command, whose usage says what they name.
func (l line) arguments(ctx context.Context, app *cli.App) candidates {
	if l.command == nil {
		return candidates{}
	}
	all := strings.Fields(l.command.ArgsUsage)
	switch n := len(all); {
	case n == 0, l.args >= n && !strings.Contains(all[n-1], "..."):
		return candidates{}
	default:
		return l.named(ctx, app, strings.Trim(all[min(l.args, n-1)], "[]."))
	}
}

// named are the things that a word of a usage text stands for.
func (l line) named(ctx context.Context, app *cli.App, what string) candidates {
	switch {
	case what == "FILE" || what == "DIRECTORY" || what == "OLD" || what == "NEW":
		return candidates{files: true}
	case what == "UID":
		return l.settled(ctx, app, runningUIDs)
	case what == "APP" && l.command.Category == groupClient:
		return l.settled(ctx, app, servedApps)
	case what == "APP":
		return l.settled(ctx, app, writtenApps)
	default:
		return candidates{}
	}
}

// settled asks with the settings that the command would have: it runs the
// command with what was given so far, and find in the place of its action. What
// cannot be had is not offered.
func (l line) settled(ctx context.Context, app *cli.App, find func(*cli.Context) ([]candidate, error)) candidates {
	var out candidates
	l.command.Action = func(c *cli.Context) (err error) {
		out.words, err = find(c)
		return err
	}
	given := l.given
	if l.awaits != nil {
		given = given[:len(given)-1]
	}
	app.Writer, app.ErrWriter = io.Discard, io.Discard
	if err := app.RunContext(ctx, append(append([]string{app.Name}, l.path...), given...)); err != nil {
		return candidates{}
	}
	return out
}

func runningUIDs(c *cli.Context) ([]candidate, error) {
	sage, err := askedSage(c)
	if err != nil {
		return nil, err
	}
	desktops, err := sage.Desktops(c.Context)
	var out []candidate
	for _, d := range desktops {
		out = append(out, candidate{d.UID, d.App + ", " + d.State})
	}
	return out, err
}

// servedApps are those of the sage that would be asked.
func servedApps(c *cli.Context) ([]candidate, error) {
	sage, err := askedSage(c)
	if err != nil {
		return nil, err
	}
	found, err := sage.Catalog(c.Context)
	var out []candidate
	for _, app := range found.Apps {
		out = append(out, candidate{app.ID, app.Title})
	}
	return out, err
}

// writtenApps are those of the catalog file.
func writtenApps(c *cli.Context) ([]candidate, error) {
	found, err := catalog.Load(c.String("catalog"))
	if err != nil {
		return nil, err
	}
	var out []candidate
	for _, app := range found.Apps {
		out = append(out, candidate{app.ID, app.Title})
	}
	return out, nil
}
