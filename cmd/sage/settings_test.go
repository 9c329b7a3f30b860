package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
	"github.com/urfave/cli/v2/altsrc"

	"sage/cmd/internal/daemon"
)

// documented are the environment variables of serve's flags. Their names are a
// promise: compose files and units have them.
func documented() map[string]string {
	return map[string]string{
		"config": "SAGE_CONFIG", "runtime": "SAGE_RUNTIME", "runtime-host": "SAGE_RUNTIME_HOST",
		"catalog": "SAGE_CATALOG", "build-arg": "SAGE_BUILD_ARGS",
		"listen": "SAGE_LISTEN", "api-token": "SAGE_API_TOKEN", "api-token-file": "SAGE_API_TOKEN_FILE", "published-on-loopback": "SAGE_PUBLISHED_ON_LOOPBACK",
		"trusted-proxy": "SAGE_TRUSTED_PROXIES", "client-connections": "SAGE_CLIENT_CONNECTIONS", "allow-anonymous": "SAGE_ALLOW_ANONYMOUS",
		"allowed-origin": "SAGE_ALLOWED_ORIGINS", "allowed-host": "SAGE_ALLOWED_HOSTS",
		"data-dir": "SAGE_DATA_DIR", "log-format": "SAGE_LOG_FORMAT", "log-level": "SAGE_LOG_LEVEL",
		"drain-timeout": "SAGE_DRAIN_TIMEOUT", "stop-desktops": "SAGE_STOP_DESKTOPS",
		"port-range-start": "PORT_RANGE_START", "port-range-end": "PORT_RANGE_END",
		"container-base-name": "CONTAINER_BASE_NAME", "instance": "SAGE_INSTANCE", "network": "SAGE_NETWORK",
		"no-client-timeout": "CONTAINER_NO_CLIENT_TIMEOUT", "first-client-grace": "SAGE_FIRST_CLIENT_GRACE",
		"max-desktops": "SAGE_MAX_DESKTOPS", "starts-at-once": "SAGE_STARTS_AT_ONCE", "max-lifetime": "SAGE_MAX_LIFETIME", "start-timeout": "SAGE_START_TIMEOUT",
		"image-timeout": "SAGE_IMAGE_TIMEOUT", "stop-grace": "SAGE_STOP_GRACE",
	}
}

// variant are three values of a flag that differ from its default and from each
// other, as text; a bool has only one.
func variant(f cli.Flag) (file, env, flag string) {
	switch f.(type) {
	case *altsrc.IntFlag:
		return "101", "102", "103"
	case *altsrc.BoolFlag:
		return "true", "true", "true"
	default:
		return "from-file", "from-env", "from-flag"
	}
}

// TestPrecedence walks every flag of serve: default < file < environment < flag.
func TestPrecedence(t *testing.T) {
	flags := serveCommand().Flags
	if len(flags) < 20 {
		t.Fatalf("only %d flags", len(flags))
	}
	want := documented()
	for _, f := range flags {
		name := f.Names()[0]
		envs := f.(cli.DocGenerationFlag).GetEnvVars()
		if len(envs) != 1 || envs[0] != want[name] {
			t.Errorf("--%s has the environment variables %v, want %q", name, envs, want[name])
			continue
		}
		delete(want, name)
		if name == configFlag {
			continue
		}
		byFile, byEnv, byFlag := variant(f)
		_, isBool := f.(*altsrc.BoolFlag)
		t.Run(name, func(t *testing.T) {
			def := seen(t, name)
			file := write(t, "sage.yaml", name+": "+byFile+"\n")
			if got := seen(t, name, "--config", file); got == def || got != shown(f, byFile) {
				t.Errorf("file: %q, want %q", got, shown(f, byFile))
			}
			if isBool {
				if got := seen(t, name, "--config", file, "--"+name+"=false"); got != "false" {
					t.Errorf("flag over file: %q", got)
				}
				t.Setenv(envs[0], "false")
				if got := seen(t, name, "--config", file); got != "false" {
					t.Errorf("environment over file: %q", got)
				}
				if got := seen(t, name, "--"+name); got != "true" {
					t.Errorf("flag over environment: %q", got)
				}
				return
			}
			t.Setenv(envs[0], byEnv)
			if got := seen(t, name, "--config", file); got != shown(f, byEnv) {
				t.Errorf("environment over file: %q, want %q", got, shown(f, byEnv))
			}
			if got := seen(t, name, "--config", file, "--"+name, byFlag); got != shown(f, byFlag) {
				t.Errorf("flag over environment: %q, want %q", got, shown(f, byFlag))
			}
		})
	}
	for name := range want {
		t.Errorf("the setting %s is gone", name)
	}
}

// seen is the value of a flag that serve's action sees.
func seen(t *testing.T, name string, args ...string) string {
	t.Helper()
	app := newApp(&bytes.Buffer{}, &bytes.Buffer{})
	got := "the action was not called"
	app.Command("serve").Action = func(c *cli.Context) error {
		if list := c.StringSlice(name); list != nil {
			got = fmt.Sprint(list)
			return nil
		}
		got = fmt.Sprint(c.Value(name))
		return nil
	}
	if err := app.RunContext(t.Context(), append([]string{"sage", "serve"}, args...)); err != nil {
		t.Fatal(err)
	}
	return got
}

func shown(f cli.Flag, value string) string {
	if _, ok := f.(*altsrc.StringSliceFlag); ok {
		return "[" + value + "]"
	}
	return value
}

// TestConfig gives every setting in each of the three ways, and wants all of
// them in the daemon's configuration.
func TestConfig(t *testing.T) {
	settings := []struct{ name, value string }{
		{"runtime", "podman"}, {"runtime-host", "unix:///x"}, {"catalog", "c.yaml"}, {"build-arg", "A=1,B=2=3"},
		{"listen", "127.0.0.1:1"}, {"api-token", "42"}, {"api-token-file", ""}, {"allow-anonymous", "true"},
		{"published-on-loopback", "true"}, {"trusted-proxy", "10.0.0.0/8,::1"}, {"client-connections", "7"},
		{"allowed-origin", "https://a,https://b"}, {"allowed-host", "h"}, {"data-dir", "/d"}, {"log-format", "text"}, {"log-level", "debug"},
		{"drain-timeout", "3"}, {"stop-desktops", "true"},
		{"port-range-start", "7"}, {"port-range-end", "9"}, {"container-base-name", "n-"}, {"instance", "i"}, {"network", "net"},
		{"max-desktops", "100"}, {"starts-at-once", "3"},
		{"no-client-timeout", "20"}, {"first-client-grace", "2m"}, {"max-lifetime", "8h"},
		{"start-timeout", "1m30s"}, {"image-timeout", "60"}, {"stop-grace", "1"},
	}
	want := daemon.Config{
		Version: programVersion(), Engine: daemon.Engine{Kind: "podman", Host: "unix:///x"},
		Catalog: "c.yaml", BuildArgs: map[string]string{"A": "1", "B": "2=3"},
		Listen: "127.0.0.1:1", APIToken: "42", AllowAnonymous: true, PublishedOnLoopback: true, TrustedProxies: []string{"10.0.0.0/8", "::1"}, ClientConnections: 7,
		AllowedOrigins: []string{"https://a", "https://b"}, AllowedHosts: []string{"h"}, DataDir: "/d",
		PortStart: 7, PortEnd: 9, BaseName: "n-", Instance: "i", Network: "net",
		MaxDesktops: 100, StartsAtOnce: 3,
		IdleTimeout: 20 * time.Second, FirstClientGrace: 2 * time.Minute, MaxLifetime: 8 * time.Hour,
		StartTimeout: 90 * time.Second, ImageTimeout: time.Minute, StopGrace: time.Second,
		DrainTimeout: 3 * time.Second, StopDesktops: true,
	}
	if len(settings) != len(documented())-1 {
		t.Fatalf("%d settings are tried, there are %d", len(settings), len(documented())-1)
	}
	check := func(t *testing.T, args ...string) {
		t.Helper()
		got, err := serveConfig(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Logger.Enabled(t.Context(), slog.LevelDebug) {
			t.Error("the log level did not arrive")
		}
		got.Logger = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	t.Run("flags", func(t *testing.T) {
		var args []string
		for _, s := range settings {
			args = append(args, "--"+s.name+"="+s.value)
		}
		check(t, args...)
	})
	t.Run("environment", func(t *testing.T) {
		for _, s := range settings {
			t.Setenv(documented()[s.name], s.value)
		}
		check(t)
	})
	t.Run("file", func(t *testing.T) {
		var lines []string
		for _, s := range settings {
			value := s.value
			if value == "" {
				value = `""`
			}
			if strings.Contains(value, ",") {
				value = "[" + value + "]"
			}
			lines = append(lines, s.name+": "+value)
		}
		check(t, "--config", write(t, "sage.yaml", strings.Join(lines, "\n")))
	})
}

// TestEmptyLists: a variable that is set to nothing is as if it were not set.
func TestEmptyLists(t *testing.T) {
	for _, name := range []string{"SAGE_ALLOWED_ORIGINS", "SAGE_ALLOWED_HOSTS", "SAGE_TRUSTED_PROXIES", "SAGE_BUILD_ARGS", "SAGE_API_TOKEN", "SAGE_API_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	cfg, err := serveConfig(t)
	if err != nil || len(cfg.AllowedOrigins)+len(cfg.AllowedHosts)+len(cfg.TrustedProxies)+len(cfg.BuildArgs) > 0 || cfg.APIToken != "" {
		t.Errorf("%+v, %v", cfg, err)
	}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	t.Setenv("SAGE_ALLOWED_HOSTS", "a, b,")
	if cfg, err := serveConfig(t); err != nil || len(cfg.AllowedHosts) != 2 || cfg.AllowedHosts[1] != "b" {
		t.Errorf("%+v, %v", cfg, err)
	}
}

func TestDefaults(t *testing.T) {
	cfg, err := serveConfig(t)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:4024" || cfg.PortStart != 11000 || cfg.PortEnd != 12000 ||
		cfg.BaseName != "collab-vm-" || cfg.IdleTimeout != 15*time.Second {
		t.Errorf("%+v", cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}

func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		value string
		want  time.Duration
		bad   bool
	}{
		{"15", 15 * time.Second, false}, {"0", 0, false}, {"1m30s", 90 * time.Second, false},
		{"500ms", time.Second / 2, false}, {"-3", -3 * time.Second, false}, // Refused later, by its meaning.
		{"", 0, true}, {"1.5", 0, true}, {"15 s", 0, true}, {"ten", 0, true}, {"99999999999999999999", 0, true},
	} {
		t.Run(tc.value, func(t *testing.T) {
			cfg, err := serveConfig(t, "--no-client-timeout", tc.value)
			if tc.bad {
				if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "no-client-timeout") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || cfg.IdleTimeout != tc.want {
				t.Errorf("%s, %v", cfg.IdleTimeout, err)
			}
		})
	}
}

func TestSettingsFileMistakes(t *testing.T) {
	for _, tc := range []struct{ name, content, want string }{
		{"unknown name", "lisen: x\n", `"lisen" is not a setting: use one of allow-anonymous,`},
		{"text for a number", "port-range-start: many\n", "port-range-start: many is not a whole number"},
		{"text for a boolean", "allow-anonymous: perhaps\n", "allow-anonymous: perhaps is neither true nor false"},
		{"list for a text", "listen: [a, b]\n", "listen: [a b] is not a single value"},
		{"map in a list", "allowed-host: [{a: b}]\n", "allowed-host: map[a:b] is not a single value"},
		{"not YAML", "listen: [\n", "settings file"},
		{"not a map", "- listen\n", "settings file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := serveConfig(t, "--config", write(t, "sage.yaml", tc.content))
			if exitCode(err) != exitUsage || !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("%v does not say %q", err, tc.want)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		_, err := serveConfig(t, "--config", filepath.Join(t.TempDir(), "none"))
		if exitCode(err) != exitUsage || !strings.Contains(fmt.Sprint(err), "no such file") {
			t.Error(err)
		}
	})
	t.Run("empty is fine", func(t *testing.T) {
		if _, err := serveConfig(t, "--config", os.DevNull); err != nil {
			t.Error(err)
		}
	})
}
