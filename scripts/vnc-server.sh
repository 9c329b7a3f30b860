#!/usr/bin/env bash
# Prints which VNC server the desktop's image is built with here: turbovnc, or tigervnc where TurboVNC's publisher
# cannot be reached. Says so in plain words on standard error.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

for package in "$here"/../images/desktop/turbovnc*.deb; do
    if [ -e "$package" ]; then
        say "VNC server: TurboVNC, from $(basename "$package")"
        echo turbovnc
        exit
    fi
done
version=$(sed -n 's/^ARG TURBOVNC_VERSION=//p' "$here/../images/desktop/Containerfile")
publisher=https://github.com/TurboVNC/turbovnc/releases/tag/$version
if curl -fsIL --connect-timeout 5 -m 15 -o /dev/null "$publisher" 2>/dev/null; then
    say "VNC server: TurboVNC $version"
    echo turbovnc
else
    say "VNC server: Debian's TigerVNC, because TurboVNC's publisher cannot be reached from here ($publisher)."
    say "    To have TurboVNC, lay its package (turbovnc_${version}_amd64.deb) into images/desktop and start again."
    echo tigervnc
fi
