package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sage/runtime/runtimetest"
)

func TestPluginMetadata(t *testing.T) {
	got := named(t, "/usr/libexec/docker/cli-plugins/docker-sage", pluginMetadata)
	var meta struct{ SchemaVersion, Vendor, Version, ShortDescription string }
	if err := json.Unmarshal([]byte(got.stdout), &meta); err != nil || got.code != 0 {
		t.Fatal(got, err)
	}
	if meta.SchemaVersion != "0.1.0" || meta.Vendor == "" || meta.Version == "" || meta.ShortDescription == "" {
		t.Errorf("%+v", meta)
	}
}

func TestPluginArguments(t *testing.T) {
	for _, tc := range []struct {
		name, args     string
		code           int
		stdout, stderr string
	}{
		{"nothing", "sage", 0, "docker sage [", ""},
		{"help", "sage --help", 0, "docker sage [", ""},
		{"help before", "--help sage", 0, "docker sage [", ""},
		{"docker help sage", "help sage", 0, "docker sage [", ""},
		{"docker help sage ls", "help sage ls", 0, "docker sage ls", ""},
		{"command", "sage version --short", 0, programVersion(), ""},
		{"without the plugin's name", "version --short", 0, programVersion(), ""},
		{"docker's flags before", "--debug --log-level info --config=/x sage version --short", 0, programVersion(), ""},
		{"default context", "--context default sage version --short", 0, programVersion(), ""},
		{"other context", "-c there sage version", 2, "", `docker's context "there" is not followed`},
		{"TLS", "--tlsverify sage version", 2, "", "docker's flag --tlsverify"},
		{"flag without value", "--host", 2, "", "has no value"},
		{"metadata as a command", "sage " + pluginMetadata, 2, "", "is not a command"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			named(t, "docker-sage.exe", strings.Fields(tc.args)...).want(t, tc.code, tc.stdout, tc.stderr)
		})
	}
}

func TestPluginHost(t *testing.T) {
	t.Setenv("SAGE_RUNTIME", "podman") // Also puts it back.
	t.Setenv("SAGE_RUNTIME_HOST", "")
	args, err := pluginArgs([]string{"docker-sage", "-H", "tcp://h:1", "sage", "build", "-H"})
	if err != nil || strings.Join(args, " ") != "docker-sage build -H" {
		t.Fatal(args, err)
	}
	cfg, err := serveConfig(t)
	if err != nil || cfg.Engine.Kind != "docker" || cfg.Engine.Host != "tcp://h:1" {
		t.Errorf("%+v, %v", cfg.Engine, err)
	}
}

// TestPluginInDocker lets Docker's own CLI find and call the plugin: this test
// program under the plugin's name.
func TestPluginInDocker(t *testing.T) {
	runtimetest.EngineHost(t, "docker")
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("the docker program is not here")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "cli-plugins"), 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "cli-plugins", "docker-sage")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--help"}, "sage*"},
		{[]string{"sage", "version", "--short"}, programVersion()},
		{[]string{"sage", "catalog", "--help"}, "docker sage catalog"},
		{[]string{"sage"}, "docker sage"},
		{[]string{"help", "sage"}, "docker sage"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), docker, tc.args...)
			cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tc.want) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestMain makes this program sage, or the plugin, when it is called as that.
func TestMain(m *testing.M) {
	if os.Getenv("SAGE_TEST_SUPERVISED") != "" {
		os.Exit(serveSupervised())
	}
	if isPlugin(os.Args[0]) || filepath.Base(os.Args[0]) == "sage" {
		main()
	}
	os.Exit(m.Run())
}
