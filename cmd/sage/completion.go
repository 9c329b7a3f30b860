package main

import (
	"io"

	"github.com/spf13/cobra"
	"github.com/urfave/cli/v2"
)

func completionCommand() *cli.Command {
	// Cobra writes the shells' side; complete answers what that asks.
	shell := func(name, where string, write func(*cobra.Command, io.Writer) error) *cli.Command {
		return &cli.Command{
			Name:        name,
			Usage:       "print the completion script for " + name,
			Description: where,
			Action: func(c *cli.Context) error {
				if err := noArguments(c); err != nil {
					return err
				}
				return write(&cobra.Command{Use: "sage"}, c.App.Writer)
			},
		}
	}
	return &cli.Command{
		Name:     "completion",
		Usage:    "print a script that lets a shell complete commands, flags, apps and uids",
		Category: groupWorkshop,
		Action:   group,
		Subcommands: []*cli.Command{
			shell("bash", "For this shell (with the package bash-completion): . <(sage completion bash)\n"+
				"For good: sage completion bash > ~/.local/share/bash-completion/completions/sage",
				func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) }),
			shell("zsh", "For this shell (after compinit): . <(sage completion zsh)\n"+
				"For good: sage completion zsh > _sage, in a directory of $fpath",
				func(c *cobra.Command, w io.Writer) error { return c.GenZshCompletion(w) }),
			shell("fish", "For this shell: sage completion fish | source\n"+
				"For good: sage completion fish > ~/.config/fish/completions/sage.fish",
				func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) }),
		},
	}
}
