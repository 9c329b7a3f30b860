package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
)

//go:embed man.md.tmpl
var manTemplate string

func manCommand() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the manual page",
		Description: "To read it at once: sage man | man -l -",
		Category:    groupWorkshop,
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			page, err := manPage(c.App)
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(page)
			return err
		},
	}
}

// manPage makes the page of the commands, their flags and the exit codes as they
// are, in troff.
func manPage(app *cli.App) ([]byte, error) {
	page, err := template.New("man").Funcs(template.FuncMap{
		"flags": manFlags, "literal": markdownLiteral,
	}).Parse(manTemplate)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = page.Execute(&text, struct {
		App      *cli.App
		Version  string
		Commands []manCommandText
		Exit     []exitMeaning
	}{app, app.Version, manCommands("sage", app.Commands), exitCodes()})
	if err != nil {
		return nil, err
	}
	return md2man.Render(text.Bytes()), nil
}

// manCommandText is one command with the words that lead to it.
type manCommandText struct {
	*cli.Command
	Line string
}

// manCommands are the commands that do something, in the order of the help text.
// The library gives the one that runs a command "help".
func manCommands(before string, commands []*cli.Command) []manCommandText {
	var out []manCommandText
	for _, c := range commands {
		if c.Name == "help" || c.Hidden {
			continue
		}
		line := before + " " + c.Name
		below := manCommands(line, c.Subcommands)
		if len(below) == 0 {
			below = []manCommandText{{c, line}}
		}
		out = append(out, below...)
	}
	return out
}

// manFlag is one flag, ready to be printed.
type manFlag struct{ Names, Value, About string }

// isHidden reports whether a flag is no part of the help text.
func isHidden(f cli.Flag) bool {
	v, ok := f.(cli.VisibleFlag)
	return ok && !v.IsVisible()
}

func manFlags(c manCommandText) []manFlag {
	var out []manFlag
	for _, f := range c.Flags {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok || f.Names()[0] == "help" || isHidden(f) {
			continue
		}
		var names []string
		for _, name := range f.Names() {
			names = append(names, strings.Repeat("-", min(len(name), 2))+name)
		}
		before, rest, _ := strings.Cut(d.GetUsage(), "`")
		value, after, _ := strings.Cut(rest, "`")
		flag := manFlag{Names: strings.Join(names, ", "), About: before + value + after}
		if d.TakesValue() {
			flag.Value = value
		}
		if text := d.GetDefaultText(); d.TakesValue() && text != "" {
			flag.About += fmt.Sprintf(" (default: %s)", text)
		}
		if env := d.GetEnvVars(); len(env) > 0 {
			flag.About += fmt.Sprintf(" [%s]", strings.Join(env, ", "))
		}
		out = append(out, flag)
	}
	slices.SortStableFunc(out, func(a, b manFlag) int { return strings.Compare(a.Names, b.Names) })
	return out
}

// markdownLiteral keeps Markdown from seeing more than text.
func markdownLiteral(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`).Replace(text)
}
