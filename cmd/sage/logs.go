package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"sage/httpapi/client"
)

func logsCommand() *cli.Command {
	return remote(&cli.Command{
		Name:      "logs",
		Usage:     "print what a desktop's container wrote",
		ArgsUsage: "UID",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "tail", Aliases: []string{"n"}, Value: 200, Usage: "`NUMBER` of lines from the end, 1 to 2000"},
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what it writes, until it ends or Ctrl-C"},
		},
	}, func(c *cli.Context, sage *client.Client) error {
		uid, err := argument(c, "UID")
		if err != nil {
			return err
		}
		if !c.Bool("follow") {
			text, err := sage.Logs(c.Context, uid, c.Int("tail"))
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.App.Writer, text)
			return err
		}
		err = sage.FollowLogs(c.Context, uid, c.Int("tail"), c.App.Writer)
		select {
		case <-c.Context.Done():
			return nil // That is how one stops to follow.
		default:
			return err
		}
	})
}
