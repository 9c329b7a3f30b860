#!/usr/bin/env bash
# Makes sure that Podman's generator of services, quadlet, is there to judge the units of deploy/quadlet. Podman has it from
# 4.4 on; where the machine's is older, the one of Debian's trixie is laid into .cache/quadlet, and nothing is installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
place=$here/../.cache/quadlet

for own in /usr/libexec/podman/quadlet /usr/lib/podman/quadlet "$place"; do
    if [ -x "$own" ]; then
        echo "quadlet: $own"
        exit
    fi
done
apt_install "to check a package's signature, and to ask for it" debian-archive-keyring curl || exit 1
main=$(archive_with "$suite")
[ -n "$main" ] || die "no archive with Debian's $suite among this machine's apt sources, for Podman's generator of services"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The machine's own lists and sources stay as they are.
echo "deb [signed-by=$keyring] $main $suite main" >"$work/sources.list"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
: >"$work/status"
apt() {
    apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
        -o Dir::State::Status="$work/status" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
(cd "$work" && apt update && apt download podman) >"$work/log" 2>&1 || { cat "$work/log" >&2; die "Podman's package cannot be had"; }
dpkg-deb --extract "$work"/podman_*.deb "$work/podman"
mkdir -p "$(dirname "$place")"
install -m 755 "$work/podman/usr/libexec/podman/quadlet" "$place"
echo "quadlet: $place, out of $(basename "$work"/podman_*.deb)"
