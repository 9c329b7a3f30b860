#!/usr/bin/env bash
# Makes sure that the base image of Sage's images, docker.io/library/debian:trixie-slim, is in an engine.
#
#   scripts/base-image.sh ENGINE...        ENGINE: docker, podman, podman-rootless
#
# Nothing happens where the tag is there. Else it is pulled; where no registry can be reached it is made from
# Debian's own packages (mmdebstrap, with this machine's apt archives and the settings of the official slim image) and
# imported under the same name, so that an ordinary `FROM debian:trixie-slim` builds unchanged.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

suite=trixie
image=docker.io/library/debian:$suite-slim
cache=${SAGE_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sage}
pull_seconds=${SAGE_PULL_TIMEOUT:-120}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# pull ENGINE: asks the registry, for a bounded time; fails at once where its name or its port does not answer.
pull() {
    if have curl && ! curl -s -o /dev/null -m 5 https://registry-1.docker.io/v2/; then
        return 1
    fi
    say "pulling $image"
    timeout "$pull_seconds" "$0" --pull "$1" >&2
}

# write_settings DIRECTORY: what dpkg and apt are told in the official slim image.
write_settings() {
    mkdir -p "$1"
    cat >"$1/dpkg" <<'SETTINGS'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/groff/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/linda/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
SETTINGS
    cat >"$1/docker-clean" <<'SETTINGS'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
SETTINGS
    echo 'Acquire::Languages "none";' >"$1/docker-no-languages"
    echo 'Acquire::GzipIndexes "true";' >"$1/docker-gzip-indexes"
    echo 'Apt::AutoRemove::SuggestsImportant "false";' >"$1/docker-autoremove-suggests"
    printf '#!/bin/sh\n# Services are not started while an image is built.\nexit 101\n' >"$1/policy-rc.d"
    chmod 755 "$1/policy-rc.d"
}

# make_tarball FILE: the root file system, once; later calls find it in the cache.
make_tarball() {
    local file=$1 main security work
    if ! is_root; then
        apt_install "to make the base image without a registry" mmdebstrap uidmap debian-archive-keyring || exit 1
    fi
    apt_install "to make the base image without a registry" mmdebstrap debian-archive-keyring curl || exit 1
    main=$(archive_with "$suite")
    [ -n "$main" ] || die "no archive with Debian's $suite among this machine's apt sources; pull $image by hand"
    security=$(archive_with "$suite-security")
    say "making $image from the packages of this machine's apt archives (half a minute)"
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    chmod 755 "$work"
    write_settings "$work"
    {
        printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\nComponents: main\nSigned-By: %s\n' \
            "$main" "$suite" "$suite" "$keyring"
        [ -z "$security" ] || printf '\nTypes: deb\nURIs: %s\nSuites: %s-security\nComponents: main\nSigned-By: %s\n' \
            "$security" "$suite" "$keyring"
    } >"$work/debian.sources"
    local excludes=() line
    while read -r line; do
        excludes+=("--dpkgopt=$line")
    done <"$work/dpkg"
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=minbase --format=tar --keyring="$keyring" "${excludes[@]}" \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Dir::Cache::pkgcache ""' --aptopt='Dir::Cache::srcpkgcache ""' \
        --customize-hook="upload $work/dpkg /etc/dpkg/dpkg.cfg.d/docker" \
        --customize-hook="upload $work/docker-clean /etc/apt/apt.conf.d/docker-clean" \
        --customize-hook="upload $work/docker-no-languages /etc/apt/apt.conf.d/docker-no-languages" \
        --customize-hook="upload $work/docker-gzip-indexes /etc/apt/apt.conf.d/docker-gzip-indexes" \
        --customize-hook="upload $work/docker-autoremove-suggests /etc/apt/apt.conf.d/docker-autoremove-suggests" \
        --customize-hook="upload $work/policy-rc.d /usr/sbin/policy-rc.d" \
        --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap' \
        --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*' \
        --customize-hook="upload $work/debian.sources /etc/apt/sources.list.d/debian.sources" \
        --customize-hook='rm -rf "$1"/var/log/* "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old' \
        --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf' \
        "$suite" "$file.part" - <"$work/debian.sources" >&2
    mv "$file.part" "$file"
    rm -rf "$work"
    trap - EXIT
}

if [ "${1:-}" = --pull ]; then
    engine_cli "${2:?}" pull --quiet "$image"
    exit
fi
[ $# -gt 0 ] || usage
for engine in "$@"; do
    case $engine in docker | podman | podman-rootless) ;; *) usage ;; esac
done
for engine in "$@"; do
    if engine_cli "$engine" image inspect "$image" >/dev/null 2>&1; then
        echo "$engine: $image is there"
        continue
    fi
    if pull "$engine"; then
        echo "$engine: $image pulled"
        continue
    fi
    mkdir -p "$cache"
    tarball=$cache/debian-$suite-slim-$(uname -m)-$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12).tar
    [ -s "$tarball" ] || make_tarball "$tarball"
    engine_cli "$engine" import --change 'CMD ["bash"]' - "$image" <"$tarball" >/dev/null
    echo "$engine: $image made from Debian's packages"
done
