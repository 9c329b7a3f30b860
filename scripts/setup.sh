#!/usr/bin/env bash
# Makes a machine ready for Sage; says what it installs and why, asks nothing, and is quick when all is there.
#
#   scripts/setup.sh run     what `make run` needs: Go, Node.js, a container engine only where none answers, and the
#                            base image of Sage's images in it
#   scripts/setup.sh test    what `make test` needs: the same with all three engines (Docker, Podman, rootless Podman
#                            as the ordinary user sage-test), Chromium, a VNC server, a compose tool,
#                            reverse proxies, promtool, shells
#   scripts/setup.sh bench   what `make bench-stream`, `make bench-density` and `make bench-latency` need: Go, a VNC server, other proxies
#
# Where it cannot go on (not root, no apt-get) it prints what to type, and fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# require_go: the Go of the distribution is too old to be worth installing, so this one is asked for.
require_go() {
    have go && return
    die "Go is not installed (or not in PATH). Install the release that go.mod names, as https://go.dev/doc/install says."
}

# web_tools: make runs everything, npm builds the page.
web_tools() {
    have curl || apt_install "to ask engines whether they answer" curl ca-certificates || exit 1
    have make || apt_install "to run the Makefile" make || exit 1
    if ! have node || ! have npm; then
        apt_install "to build the web page" nodejs npm || exit 1
    fi
}

# answering_engine: prints the address of an engine that answers, in the order in which Sage looks for one.
answering_engine() {
    local address socket
    for address in "${DOCKER_HOST:-}" "${CONTAINER_HOST:-}"; do
        case $address in
            unix://*) answers "${address#unix://}" && echo "$address" && return ;;
            # An engine elsewhere was chosen on purpose; whether it answers is for Sage to say.
            ?*) echo "$address" && return ;;
        esac
    done
    for socket in "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/podman/podman.sock" "/run/user/$(id -u)/podman/podman.sock" \
        /var/run/docker.sock /run/podman/podman.sock; do
        if answers "$socket"; then
            echo "unix://$socket"
            return
        fi
    done
    return 1
}

# The package with the docker command: a part of docker.io up to Debian 12, one of its own later.
docker_packages() {
    echo docker.io
    if [ -n "$(apt-cache search --names-only '^docker-cli$' 2>/dev/null)" ]; then
        echo docker-cli
    fi
}

# docker_engine: installs Docker where a part of it is missing.
docker_engine() {
    if ! have dockerd || ! have docker; then
        # shellcheck disable=SC2046
        apt_install "$1" $(docker_packages) iptables || exit 1
    fi
}

any_engine() {
    local found
    if found=$(answering_engine); then
        say "container engine: $found"
    elif have podman; then
        say "no container engine answers, but Podman is installed: Sage starts its service"
        found=podman
    elif is_root; then
        say "no container engine answers"
        docker_engine "a container engine, as none answers"
        "$here/engines.sh" start docker >&2
        found=$(answering_engine) || die "Docker was started, but does not answer"
    else
        say "No container engine answers. Install one, for example Podman, which needs no root to run:"
        say "    sudo apt-get update && sudo apt-get install -y podman uidmap slirp4netns"
        say "or Docker:"
        say "    sudo apt-get update && sudo apt-get install -y docker.io && sudo usermod -aG docker $(id -un)"
        exit 1
    fi
    case $found in
        *podman*) if is_root; then found=podman; else found=podman-rootless; fi ;;
        *) found=docker ;;
    esac
    # Without the engine's program there is no hand to import an image with; the build will pull it.
    if have "${found%-rootless}"; then
        "$here/base-image.sh" "$found" >&2
    fi
}

# other_services REASON PACKAGE...: installs programs without the services that Debian starts with them (at run level 1 it
# starts none).
other_services() {
    RUNLEVEL=1 apt_install "$@" || exit 1
}

test_tools() {
    is_root || die "the tests start three engines, which only root can: sudo -E make test"
    docker_engine "Docker, one of the engines that are tested"
    apt_install "Podman, rootful and rootless, the other ones" podman netavark aardvark-dns runc uidmap slirp4netns \
        fuse-overlayfs || exit 1
    apt_install "to make the base image where no registry is reachable" mmdebstrap debian-archive-keyring || exit 1
    apt_install "the compose tool that deploy/compose.yaml is tried with" docker-compose || exit 1
    other_services "the reverse proxies that deploy/proxy is tried with" nginx-light caddy
    if ! have ip || ! have iptables; then
        apt_install "to lay a cable in a test and pull it" iproute2 iptables || exit 1
    fi
    apt_install "a VNC server and X clients that the viewers' rules are tried with" tigervnc-standalone-server \
        tigervnc-viewer x11-utils xvfb xdotool || exit 1
    have promtool || other_services "promtool, which judges the alert rules" prometheus
    have systemd-analyze || apt_install "systemd-analyze, which judges the units" systemd || exit 1
    apt_install "the shells whose completion is tried, and what reads the manual page" bash-completion zsh fish groff-base \
        man-db || exit 1
    have chromium || apt_install "the browser of the page's tests" chromium || exit 1
    "$here/quadlet.sh" >&2
    "$here/engines.sh" start >&2
    "$here/base-image.sh" docker podman podman-rootless >&2
}

# bench_tools: the programs that are measured beside Sage run with a configuration of their own, so the services that
# Debian starts with them are not wanted.
bench_tools() {
    local had_nginx=no
    have make || apt_install "to run the Makefile" make || exit 1
    installed nginx-common && had_nginx=yes
    apt_install "the VNC server that is measured, and a pattern for its screen" tigervnc-standalone-server x11-xserver-utils || exit 1
    apt_install "the proxies that Sage is compared with" nginx-light libnginx-mod-stream websockify || exit 1
    if [ $had_nginx = no ] && runs_systemd; then
        systemctl disable --quiet --now nginx || exit 1
    fi
}

case ${1:-} in
    run | test | bench) ;;
    *) usage ;;
esac
require_go
if [ "$1" = bench ]; then
    bench_tools
    exit
fi
web_tools
case $1 in
    run) any_engine ;;
    test) test_tools ;;
esac
