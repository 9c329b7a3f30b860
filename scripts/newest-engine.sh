#!/usr/bin/env bash
# Runs a command beside the newest Docker or Podman that Debian's archives have (experimental, else unstable).
#
#   scripts/newest-engine.sh docker|podman COMMAND [ARGUMENT...]
#
# The engine comes from packages in a root directory of its own (mmdebstrap; kept in the cache, made anew when this script or
# the archives change). It and the command get namespaces of their own for processes, mounts and network, so nothing of
# it meets the machine's engines, and all of it ends with the command. The command finds the engine's socket in
# SAGE_TEST_DOCKER_HOST or SAGE_TEST_PODMAN_HOST, and SAGE_TEST_ENGINES names that engine alone.
#
# SAGE_NEWEST_IMAGES names images of the machine's own Docker that the engine gets before.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

cache=${SAGE_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sage}
state=${SAGE_STATE_DIR:-/var/lib/sage-test}/newest
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
wait_seconds=120

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# tarball: prints the file with the root directory of both engines, and makes it where the cache has none for this script
# and these archives.
tarball() {
    local main content file work
    apt_install "to make a root directory for the newest engines" mmdebstrap debian-archive-keyring curl || exit 1
    main=$(archive_with sid)
    [ -n "$main" ] || die "no archive with Debian's unstable suite among this machine's apt sources"
    content=$( (cat "${BASH_SOURCE[0]}"; for suite in sid experimental; do curl -s -f -m 30 "$main/dists/$suite/InRelease" | grep '^Date:'; done) | sha256sum | cut -c1-12)
    file=$cache/newest-engines-$(uname -m)-$content.tar
    if [ ! -s "$file" ]; then
        say "making a root directory with the newest Docker and Podman (two minutes)"
        mkdir -p "$cache"
        rm -f "$cache"/newest-engines-*
        work=$(mktemp)
        # An archive may be a copy of some day, which is older than it says that it is good for.
        for suite in sid experimental; do
            echo "deb [signed-by=$keyring check-valid-until=no] $main $suite main" >>"$work"
        done
        # shellcheck disable=SC2016
        mmdebstrap --quiet --variant=minbase --format=tar --keyring="$keyring" --aptopt='APT::Install-Recommends "false"' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --include=iptables,nftables,iproute2,ca-certificates,runc \
            --customize-hook='chroot "$1" apt-get install -q -y -t experimental docker.io docker-cli podman netavark aardvark-dns conmon crun' \
            --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*' \
            sid "$file.part" - <"$work" >"$file.log" 2>&1 || { tail -n 20 "$file.log" >&2; die "no root directory for the newest engines"; }
        rm -f "$work" "$file.log"
        mv "$file.part" "$file"
    fi
    echo "$file"
}

# unpack FILE: makes $state/root of a tarball, unless it is that one's already.
unpack() {
    [ "$(cat "$state/from" 2>/dev/null)" = "$1" ] && return
    rm -rf "$state"
    mkdir -p "$state/root"
    tar -C "$state/root" -xf "$1"
    echo "$1" >"$state/from"
}

# save_images: prints the file with the images that are asked for.
save_images() {
    local file images
    [ -n "${SAGE_NEWEST_IMAGES:-}" ] || return 0
    read -r -a images <<<"$SAGE_NEWEST_IMAGES"
    file=$cache/newest-images-$(docker image inspect --format '{{.Id}}' "${images[@]}" | sha256sum | cut -c1-12).tar
    if [ ! -s "$file" ]; then
        rm -f "$cache"/newest-images-*
        docker save -o "$file.part" "${images[@]}"
        mv "$file.part" "$file"
    fi
    echo "$file"
}

# load_images ENGINE FILE: what has been loaded stays with the root directory.
load_images() {
    [ -n "$2" ] && [ "$(cat "$state/$1.images" 2>/dev/null)" != "$2" ] || return 0
    chroot "$state/root" "$1" load --quiet <"$2" >&2
    echo "$2" >"$state/$1.images"
}

# inside IMAGES ENGINE COMMAND...: what happens in the namespaces.
inside() {
    local images=$1 engine=$2 root=$state/root socket
    shift 2
    mount --make-rprivate /
    mount -t proc proc /proc
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    mount -t tmpfs run "$root/run"
    mount -t tmpfs tmp "$root/tmp"
    # Tests have the engine trust a registry of theirs.
    mkdir -p /etc/containers/certs.d "$root/etc/containers/certs.d"
    mount --bind /etc/containers/certs.d "$root/etc/containers/certs.d"
    ip link set lo up
    sysctl -q -w net.ipv4.ip_forward=1 || true
    case $engine in
        docker)
            socket=$root/run/docker.sock
            chroot "$root" dockerd --host unix:///run/docker.sock >"$state/docker.log" 2>&1 &
            ;;
        podman)
            socket=$root/run/podman.sock
            prepare_podman "$root"
            chroot "$root" podman system service --time=0 unix:///run/podman.sock >"$state/podman.log" 2>&1 &
            ;;
    esac
    local service=$! deadline=$((SECONDS + wait_seconds))
    until answers "$socket"; do
        if [ $SECONDS -ge $deadline ] || ! kill -0 "$service" 2>/dev/null; then
            tail -n 20 "$state/$engine.log" >&2
            die "the newest $engine does not answer"
        fi
        sleep 0.2
    done
    load_images "$engine" "$images"
    export SAGE_TEST_ENGINES=$engine SAGE_TEST_NEWEST=1
    export "SAGE_TEST_${engine^^}_HOST=unix://$socket"
    local status=0
    "$@" || status=$?
    [ $status -eq 0 ] || tail -n 20 "$state/$engine.log" >&2
    exit $status
}

# prepare_podman ROOT: Podman 6 knows version 2 of control groups only. Of those a machine with version 1 has a hierarchy
# with few controllers, so it gets that one, and limits that need others are off.
prepare_podman() {
    if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
        umount -R "$1/sys/fs/cgroup"
        mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
    fi
    # It asks for more open files and processes than this machine may allow.
    local files processes pids
    files=$(ulimit -H -n)
    processes=$(ulimit -H -u)
    pids=$(cat /proc/sys/kernel/pid_max)
    [ "$files" != unlimited ] || files=$pids
    if [ "$processes" = unlimited ] || [ "$processes" -gt "$pids" ]; then
        processes=$pids
    fi
    mkdir -p "$1/etc/containers/containers.conf.d"
    cat >"$1/etc/containers/containers.conf.d/50-sage-test.conf" <<CONF
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
pids_limit = 0
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
CONF
}

if [ "${1:-}" = --inside ]; then
    shift
    inside "$@"
fi
case ${1:-} in docker | podman) ;; *) usage ;; esac
[ $# -gt 1 ] || usage
is_root || die "an engine in namespaces of its own needs root"
mkdir -p "$(dirname "$state")"
exec 9>"$(dirname "$state")/newest.lock"
flock 9
file=$(tarball)
unpack "$file"
images=$(save_images)
exec unshare --net --mount --pid --fork --kill-child "${BASH_SOURCE[0]}" --inside "$images" "$@"
