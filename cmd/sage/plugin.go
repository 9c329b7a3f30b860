package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Docker's CLI starts a program docker-NAME as "docker NAME" after asking it
// for its metadata; the docker flags before NAME are passed on as they are.
const (
	pluginName     = "sage"
	pluginMetadata = "docker-cli-plugin-metadata"
)

// isPlugin tells whether the program was called as a plugin of Docker's CLI.
func isPlugin(program string) bool {
	return strings.TrimSuffix(filepath.Base(program), ".exe") == "docker-"+pluginName
}

func asksMetadata(args []string) bool { return len(args) > 1 && args[1] == pluginMetadata }

// writeMetadata is the answer to docker-cli-plugin-metadata.
func writeMetadata(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		SchemaVersion    string
		Vendor           string
		Version          string
		ShortDescription string
		URL              string `json:",omitempty"`
	}{
		SchemaVersion: "0.1.0", Vendor: "Sage", Version: programVersion(),
		ShortDescription: "Desktop applications in the browser, on demand",
	})
}

// pluginArgs turns what Docker's CLI passes on into this program's own
// arguments. Docker's flags that choose an engine count here, too: --host does
// what SAGE_RUNTIME_HOST does, and one that Sage cannot follow is refused.
func pluginArgs(args []string) ([]string, error) {
	out := args[:1:1]
	rest := args[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		name, value, given := strings.Cut(rest[0], "=")
		rest = rest[1:]
		switch name {
		case "--help":
			return append(out, "--help"), nil
		case "-D", "--debug":
			continue
		case "--config", "-l", "--log-level", "-H", "--host", "-c", "--context":
			if !given {
				if len(rest) == 0 {
					return nil, usagef("docker's flag %s has no value", name)
				}
				value, rest = rest[0], rest[1:]
			}
			switch name {
			case "-H", "--host":
				if err := useDockerHost(value); err != nil {
					return nil, err
				}
			case "-c", "--context":
				if value != "default" {
					return nil, usagef("docker's context %q is not followed: choose the engine with --host", value)
				}
			}
		default:
			return nil, usagef("docker's flag %s has no meaning for docker %s: choose the engine with --host", name, pluginName)
		}
	}
	if len(rest) > 1 && rest[0] == "help" && rest[1] == pluginName {
		return slices.Concat(out, rest[2:], []string{"--help"}), nil
	}
	if len(rest) > 0 && rest[0] == pluginName {
		rest = rest[1:]
	}
	return slices.Concat(out, rest), nil
}

// useDockerHost lets docker's --host choose the engine as if it were set in the
// environment.
func useDockerHost(host string) error {
	for name, value := range map[string]string{"SAGE_RUNTIME": "docker", "SAGE_RUNTIME_HOST": host} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
