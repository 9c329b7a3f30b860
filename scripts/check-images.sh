#!/usr/bin/env bash
# Starts a desktop again and again, and fails if one of them does not show its app's window.
#
#   scripts/check-images.sh ENGINE [IMAGE [TIMES]]     ENGINE: docker, podman, podman-rootless
#
# IMAGE is localhost/sage/desktop:latest unless given, TIMES is 50. The picture itself is judged: a small RFB client
# in this script counts its colours, as an empty screen has but a handful.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

if [ $# -lt 1 ] || [ $# -gt 3 ]; then
    usage
fi
engine=$1
image=${2:-localhost/sage/desktop:latest}
times=${3:-50}
case $engine in docker | podman | podman-rootless) ;; *) usage ;; esac

width=640
height=400
enough_colours=40
wait_seconds=60

# colours PORT: how many colours the picture has that a VNC client of this port is sent.
colours() {
    local port=$1 name_length
    {
        exec 3<>"/dev/tcp/127.0.0.1/$port"
    } 2>/dev/null || return 1
    # The greeting, the security types (one of them: None), and the answers to them.
    [ "$(timeout 5 head -c 3 <&3)" = RFB ] || return 1
    timeout 5 head -c 9 <&3 >/dev/null
    printf 'RFB 003.008\n\001\001' >&3
    timeout 5 head -c 6 <&3 >/dev/null
    # ServerInit: size and pixel format, then the length of the name, then the name.
    timeout 5 head -c 20 <&3 >/dev/null
    name_length=$((16#$(timeout 5 head -c 4 <&3 | od -An -tx1 | tr -d ' \n')))
    timeout 5 head -c "$name_length" <&3 >/dev/null
    # SetEncodings: raw. FramebufferUpdateRequest: everything.
    printf '\002\000\000\001\000\000\000\000' >&3
    # shellcheck disable=SC2059
    printf "$(printf '\\003\\000\\000\\000\\000\\000\\x%02x\\x%02x\\x%02x\\x%02x' \
        $((width / 256)) $((width % 256)) $((height / 256)) $((height % 256)))" >&3
    timeout 5 head -c $((16 + width * height * 4)) <&3 | od -An -v -tx4 -w4 | sort -u | wc -l
    exec 3>&-
}

container=
trap '[ -z "$container" ] || engine_cli "$engine" rm -f "$container" >/dev/null 2>&1' EXIT
dark=0
for ((n = 1; n <= times; n++)); do
    container=$(engine_cli "$engine" run -d --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp \
        --tmpfs /run --shm-size 256m -e SAGE_GEOMETRY=${width}x$height -p 127.0.0.1::5900 "$image")
    port=$(engine_cli "$engine" port "$container" 5900/tcp | sed -n '1s/.*://p')
    deadline=$((SECONDS + wait_seconds))
    seen=0
    while [ "$SECONDS" -lt "$deadline" ]; do
        seen=$(colours "$port" || echo 0)
        [ "$seen" -lt "$enough_colours" ] || break
        sleep 0.05
    done
    if [ "$seen" -lt "$enough_colours" ]; then
        dark=$((dark + 1))
        say "start $n: no window within $wait_seconds s ($seen colours); the container said:"
        engine_cli "$engine" logs "$container" >&2 || true
    fi
    engine_cli "$engine" rm -f "$container" >/dev/null
    container=
done
echo "$engine, $image: $((times - dark)) of $times starts showed their window"
[ "$dark" -eq 0 ]
