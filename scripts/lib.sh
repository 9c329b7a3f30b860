# shellcheck shell=bash
# What the scripts of this directory share: words to the person, and package installation.
# It is sourced, never run.

# say prints a line for the person who reads along; standard output stays free for results.
say() {
    printf '%s\n' "$*" >&2
}

# die prints why the script cannot go on, and ends it.
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

runs_systemd() {
    [ -d /run/systemd/system ]
}

# answers SOCKET: does a container engine answer on this Unix socket? Docker and Podman both know /_ping.
answers() {
    [ -S "$1" ] && [ "$(curl -s -m 5 --unix-socket "$1" http://engine/_ping 2>/dev/null)" = OK ]
}

# installed PACKAGE: is this Debian package installed?
installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# other_manager prints the command that installs packages where there is no apt-get.
other_manager() {
    if have dnf; then
        echo "sudo dnf install -y"
    elif have zypper; then
        echo "sudo zypper install -y"
    elif have pacman; then
        echo "sudo pacman -S --needed"
    elif have apk; then
        echo "sudo apk add"
    else
        echo "(your package manager's command to install)"
    fi
}

# apt_install REASON PACKAGE...: installs what is missing, after saying what and why. Where it may not, it
# prints the command to type instead, and fails.
apt_install() {
    local reason=$1 package missing=()
    shift
    if ! have dpkg-query || ! have apt-get; then
        say "needed ($reason): $*. This machine has no apt-get. Type this, then start again:"
        say "    $(other_manager) $*"
        say "(a package may have another name there)"
        return 1
    fi
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! is_root; then
        say "needed ($reason): ${missing[*]}. Type this, then start again:"
        say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]} ($reason)"
    local log
    log=$(mktemp)
    if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get could not install ${missing[*]}"
    fi
    rm -f "$log"
}

# archives: the roots of this machine's apt sources, out of apt's own reading of its configuration.
archives() {
    apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/.*/\(In\)\{0,1\}Release'.*$|\1|p" | sort -u
}

# archive_with SUITE: the first of them that holds a suite of Debian; a vendor's repository does not.
archive_with() {
    local archive origin
    for archive in $(archives); do
        origin=$(curl -s -f -m 10 "$archive/dists/$1/InRelease" | sed -n 's/^Origin: *//p')
        if [ "$origin" = Debian ]; then
            echo "$archive"
            return
        fi
    done
}

# The ordinary user whose rootless Podman the tests use.
test_user=sage-test

# engine_cli ENGINE ARGUMENT...: the engine's own program (ENGINE: docker, podman, podman-rootless). For root, the
# rootless one is that of the test user; for anybody else it is their own.
engine_cli() {
    local engine=$1 home
    shift
    if [ "$engine" = docker ]; then
        docker "$@"
    elif [ "$engine" = podman-rootless ] && is_root; then
        home=$(getent passwd "$test_user" | cut -d: -f6)
        (
            cd "$home" || exit
            runuser -u "$test_user" -- env -i HOME="$home" USER="$test_user" PATH="$PATH" \
                XDG_RUNTIME_DIR="/run/user/$(id -u "$test_user")" podman "$@"
        )
    elif [ -n "${CONTAINER_HOST:-}" ]; then
        podman --remote "$@"
    else
        podman "$@"
    fi
}
