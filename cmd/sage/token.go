package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"sage/cmd/internal/daemon"
)

// The settings of the API's token.
const tokenFlag, tokenFileFlag = "api-token", "api-token-file"

// maxTokenFile bounds a file with a token, in bytes.
const maxTokenFile = 4 << 10

// apiToken returns the token that the settings give or name; empty for none.
func apiToken(c *cli.Context) (string, error) {
	token, file := c.String(tokenFlag), c.String(tokenFileFlag)
	switch {
	case file == "":
		return token, nil
	case token != "":
		return "", usagef("there are a token and a file with a token: give SAGE_API_TOKEN or SAGE_API_TOKEN_FILE")
	}
	if err := daemon.CheckNotShared(file); err != nil {
		return "", usagef("token file: %w", err)
	}
	info, err := os.Stat(file)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxTokenFile) {
		err = fmt.Errorf("%s is not a file of at most %d bytes", file, maxTokenFile)
	}
	if err != nil {
		return "", usagef("token file: %w: name a file with nothing but the token (SAGE_API_TOKEN_FILE)", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("token file: %w", err)
	}
	if token = strings.TrimSpace(string(data)); token == "" {
		return "", usagef("token file %s is empty: write the token into it", file)
	}
	return token, nil
}

// refuseSecrets refuses a token among the arguments.
func refuseSecrets(args []string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && name == tokenFlag {
			return usagef("every account of this host sees the arguments of a program: set SAGE_API_TOKEN, or name a file with --%s", tokenFileFlag)
		}
	}
	return nil
}
