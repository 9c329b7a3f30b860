package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// served is a stand-in with two apps and two desktops.
func served(t *testing.T) string {
	t.Helper()
	url, _ := standIn(t, map[string]answer{
		"GET /api/catalog": {200, `{"apps":[{"id":"firefox","title":"Firefox"},{"id":"blender","title":"Blender: 3D"}]}`},
		"GET /api/vm":      {200, `{"desktops":[` + alice + `,{"uid":"bob-1","app":"blender","state":"failed"}]}`},
	})
	return url
}

// TestComplete asks as the scripts of the shells do.
func TestComplete(t *testing.T) {
	url := served(t)
	path, _ := threeApps(t)
	for _, tc := range []struct {
		name string
		line []string
		want string
	}{
		{"commands", []string{"st"}, "stats\ttell what desktops use; all of them, if none is named\nstop\tstop a desktop; its home stays\n:4\n"},
		{"subcommands", []string{"catalog", "d"}, "diff\tsay what is different in another catalog file; the exit code is 0 in any case, if both can be used\n:4\n"},
		{"apps of the server", []string{"run", ""}, "firefox\tFirefox\nblender\tBlender: 3D\n:4\n"},
		{"apps by their beginning", []string{"run", "f"}, "firefox\tFirefox\n:4\n"},
		{"apps of the file", []string{"build", "--catalog", path, "b"}, "base\tBase\n:4\n"},
		{"several apps", []string{"build", "--catalog", path, "top", "b"}, "base\tBase\n:4\n"},
		{"uids", []string{"stop", ""}, "alice\tfirefox, occupied\nbob-1\tblender, failed\n:4\n"},
		{"uids after flags", []string{"logs", "--tail", "3", "-f", "b"}, "bob-1\tblender, failed\n:4\n"},
		{"uid of a flag", []string{"run", "firefox", "--uid", "a"}, "alice\tfirefox, occupied\n:4\n"},
		{"uid of a flag with a sign", []string{"run", "firefox", "--uid=a"}, "--uid=alice\tfirefox, occupied\n:4\n"},
		{"another server", []string{"stop", "--url", "http://127.0.0.1:1", ""}, ":4\n"},
		{"a server by a sign", []string{"stop", "--url=" + url, "a"}, "alice\tfirefox, occupied\n:4\n"},
		{"only one uid", []string{"stop", "alice", ""}, ":4\n"},
		{"flags", []string{"stop", "--p"}, "--purge\tdelete the home and the saved settings, too\n:4\n"},
		{"values", []string{"ls", "--output", ""}, "table\t\njson\t\n:4\n"},
		{"values of a short flag", []string{"ls", "-o", "j"}, "json\t\n:4\n"},
		{"files", []string{"catalog", "validate", "x"}, ":0\n"},
		{"file of a flag", []string{"serve", "--catalog", ""}, ":0\n"},
		{"any text", []string{"run", "--env", ""}, ":4\n"},
		{"unknown flag", []string{"ls", "--nope=", ""}, ":4\n"},
		{"unknown command", []string{"nope", ""}, ":4\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := sage(t, append([]string{"__complete"}, tc.line...)...)
			if got.code != 0 || got.stdout != tc.want || got.stderr != "" {
				t.Errorf("%+v, want %q", got, tc.want)
			}
		})
	}
	t.Run("docker", func(t *testing.T) {
		named(t, "docker-sage", "__complete", "sage", "run", "f").want(t, 0, "firefox\tFirefox\n:4\n", "")
	})
	t.Run("wrong token", func(t *testing.T) {
		t.Setenv("SAGE_API_TOKEN", "x")
		sage(t, "__complete", "stop", "").want(t, 0, ":4\n", "")
	})
}

// TestCompletionInShells lets each real shell load its script and complete.
func TestCompletionInShells(t *testing.T) {
	served(t)
	dir := filepath.Dir(asProgram(t))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("HOME", t.TempDir())
	for _, shell := range []struct {
		name string
		args []string
		// script completes the line in $1, word for word, and prints what comes.
		script string
	}{
		{"bash", []string{"--norc", "-c"}, `
			. /usr/share/bash-completion/bash_completion
			. <(sage completion bash)
			COMP_LINE=$1 COMP_POINT=${#1}
			read -ra COMP_WORDS <<<"$1"; [[ $1 == *' ' ]] && COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9 COMP_KEY=9
			__start_sage
			printf '%s\n' "${COMPREPLY[@]}"`},
		{"fish", []string{"--no-config", "-c"}, `
			sage completion fish | source
			complete --do-complete $argv[1] | string replace --regex '\t.*' ""; true`},
		// Zsh completes in its line editor alone, so it is given a terminal, and a key
		// that tells what stands in the line.
		{"zsh", []string{"-f", "-c"}, `
			mkfifo $HOME/line.$$
			zmodload zsh/zpty
			zpty shell 'zsh -f -i'
			zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -d $HOME/dump; . <(sage completion zsh)'
			zpty -w shell "tell() { print -r -- \$BUFFER > $HOME/line.$$ }; zle -N tell; bindkey '^Xt' tell; print re''ady"
			until [[ $text == *ready* ]]; do zpty -r shell text || exit 1; done
			zpty -w -n shell "$1"$'\t\x18t'
			read -r line < $HOME/line.$$
			print -r -- "$line"
			zpty -d shell`},
	} {
		t.Run(shell.name, func(t *testing.T) {
			program := needed(t, shell.name, shell.name)
			if shell.name == "bash" {
				_, err := os.Stat("/usr/share/bash-completion/bash_completion")
				orNotThere(t, err, "bash-completion")
			}
			for line, want := range map[string]string{
				"sage ru": "run", "sage run fi": "firefox", "sage stop al": "alice", "sage ls --output js": "json", "sage stop --pu": "--purge",
			} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, program, append(shell.args, shell.script, shell.name, line)...)
				if shell.name == "fish" { // It has no name for the script.
					cmd = exec.CommandContext(ctx, program, append(shell.args, shell.script, line)...)
				}
				cmd.WaitDelay = time.Second // The terminal's shell may outlive its own.
				out, err := cmd.CombinedOutput()
				if err != nil || !strings.Contains(string(out), want) {
					t.Errorf("%q: %v, %q, want %q", line, err, out, want)
				}
			}
		})
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"bash"}, 0, "complete -o default -F __start_sage sage"},
		{[]string{"zsh"}, 0, "#compdef sage"},
		{[]string{"fish"}, 0, "complete -c sage"},
		{nil, 0, "bash"},
	} {
		sage(t, append([]string{"completion"}, tc.args...)...).want(t, tc.code, tc.want, "")
	}
	sage(t, "completion", "ksh").want(t, exitUsage, "", `"ksh" is not a command`)
}
