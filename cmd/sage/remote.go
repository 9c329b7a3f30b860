package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"sage/httpapi/client"
)

// remote makes a command that asks a running sage.
func remote(c *cli.Command, action func(*cli.Context, *client.Client) error) *cli.Command {
	c.Category = groupClient
	c.Flags = append(c.Flags, clientFlags()...)
	c.Action = func(ctx *cli.Context) error {
		sage, err := askedSage(ctx)
		if err != nil {
			return usageError{err}
		}
		return explain(action(ctx, sage))
	}
	return withFile(c)
}

// askedSage is the one that the flags name.
func askedSage(c *cli.Context) (*client.Client, error) {
	token, err := apiToken(c)
	if err != nil {
		return nil, err
	}
	return client.New(c.String("url"), client.Options{Token: token})
}

// explain adds to what a sage refused what to do about it.
func explain(err error) error {
	var gone *client.UnreachableError
	switch {
	case errors.As(err, &gone):
		return fmt.Errorf("%w: start it with \"sage serve\", or name another one with --url or SAGE_URL", err)
	case client.IsCode(err, client.CodeUnauthorized):
		return fmt.Errorf("this sage wants its token: set SAGE_API_TOKEN, or name a file with --api-token-file: %w", err)
	case client.IsCode(err, client.CodeUnknownApp):
		return fmt.Errorf("%w: \"sage apps\" tells those that there are", err)
	case client.IsCode(err, client.CodeNotRunning):
		return fmt.Errorf("%w: \"sage ls\" tells the desktops that there are", err)
	default:
		return err
	}
}
