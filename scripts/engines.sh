#!/usr/bin/env bash
# Starts, stops and shows the container engines that the tests (and `make run`, where no systemd runs) use.
#
#   scripts/engines.sh start  [docker|podman|podman-rootless ...]   starts what does not answer yet
#   scripts/engines.sh stop   [docker|podman|podman-rootless ...]   stops what this script started
#   scripts/engines.sh status [docker|podman|podman-rootless ...]   one line per engine
#   scripts/engines.sh env                                          shell lines naming the engines that answer
#
# An engine that answers already is used as it is. The rootless one runs as the ordinary user `sage-test`.
# Peculiarities of the machine (an old crun on cgroup v1, missing CAP_SYS_RESOURCE, closed device nodes) are
# looked for first, and mended by files of our own name only; a configuration that stands there is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

state=${SAGE_STATE_DIR:-/var/lib/sage-test}
drop_in=/etc/containers/containers.conf.d/50-sage-test.conf
wait_seconds=60

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

socket_of() {
    case $1 in
        docker) echo /var/run/docker.sock ;;
        podman) echo /run/podman/podman.sock ;;
        podman-rootless)
            local uid
            uid=$(id -u "$test_user" 2>/dev/null) || return 1
            echo "/run/user/$uid/podman/podman.sock"
            ;;
    esac
}

# running ENGINE: does it answer on its socket?
running() {
    local socket
    socket=$(socket_of "$1") && answers "$socket"
}

# process_of FILE PROGRAM: the process id in a file, if it is still a process of that program.
process_of() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "$2" || return 1
    echo "$pid"
}

# ours ENGINE: the process id of the service that this script started, if it is still that service.
ours() {
    local program=podman
    [ "$1" = docker ] && program=dockerd
    process_of "$state/$1.pid" "$program"
}

# launch ENGINE DIRECTORY COMMAND...: starts a service that outlives this shell, with its log under the state
# directory. It runs in DIRECTORY, where its helpers may leave files.
launch() {
    local engine=$1 directory=$2
    shift 2
    (cd "$directory" && exec setsid nohup "$@" >"$state/$engine.log" 2>&1 </dev/null 9>&-) &
    echo $! >"$state/$engine.pid"
}

await() {
    local engine=$1 deadline=$((SECONDS + wait_seconds))
    until running "$engine"; do
        if [ $SECONDS -ge $deadline ] || { [ -e "$state/$engine.pid" ] && [ ! -d "/proc/$(cat "$state/$engine.pid")" ]; }; then
            tail -n 20 "$state/$engine.log" >&2 2>/dev/null || true
            die "$engine does not answer on $(socket_of "$engine"); its log is $state/$engine.log"
        fi
        sleep 0.1
    done
}

# May this process (and so the engines that it starts) raise its limits?
may_raise_limits() {
    local effective
    effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
    ((16#$effective >> 24 & 1)) # CAP_SYS_RESOURCE
}

# Podman's settings for this machine, in a drop-in of our own, and only those that are needed.
configure_podman() {
    local engine_lines=() container_lines=() limits=() files processes pids
    # The crun of Debian 12 refuses cgroup v1 in hybrid mode.
    if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] && have runc; then
        engine_lines+=('runtime = "runc"')
    fi
    if ! runs_systemd; then
        engine_lines+=('cgroup_manager = "cgroupfs"' 'events_logger = "file"')
    fi
    # Podman asks for more open files and processes than this machine may allow.
    if ! may_raise_limits; then
        files=$(ulimit -H -n)
        processes=$(ulimit -H -u)
        # Podman lowers its own limit to the kernel's number of process ids.
        pids=$(cat /proc/sys/kernel/pid_max)
        if [ "$processes" = unlimited ] || [ "$processes" -gt "$pids" ]; then
            processes=$pids
        fi
        [ "$files" = unlimited ] || limits+=("\"nofile=$files:$files\"")
        limits+=("\"nproc=$processes:$processes\"")
        container_lines+=("default_ulimits = [$(IFS=,; echo "${limits[*]}")]")
    fi
    [ ${#engine_lines[@]} -gt 0 ] || [ ${#container_lines[@]} -gt 0 ] || return 0
    local wanted
    wanted=$(
        echo "# Written by Sage's scripts/engines.sh for this machine; delete it to have Podman's own defaults."
        [ ${#engine_lines[@]} -eq 0 ] || printf '%s\n' '[engine]' "${engine_lines[@]}"
        [ ${#container_lines[@]} -eq 0 ] || printf '%s\n' '[containers]' "${container_lines[@]}"
    )
    if [ "$(cat "$drop_in" 2>/dev/null)" != "$wanted" ]; then
        say "podman: writing $drop_in (${engine_lines[*]} ${container_lines[*]})"
        mkdir -p "$(dirname "$drop_in")"
        printf '%s\n' "$wanted" >"$drop_in"
    fi
}

start_docker() {
    local containerd=/var/run/docker/containerd/containerd.pid
    if runs_systemd && systemctl cat docker.service >/dev/null 2>&1; then
        systemctl start docker.service
    else
        have dockerd || die "dockerd is not installed: run scripts/setup.sh test"
        # Where /run outlives its processes, these may name a process that is something else by now, and dockerd looks
        # only whether there is one.
        process_of /var/run/docker.pid dockerd >/dev/null || rm -f /var/run/docker.pid
        process_of "$containerd" containerd >/dev/null || rm -f "$containerd"
        launch docker "$state" dockerd
    fi
}

start_podman() {
    have podman || die "podman is not installed: run scripts/setup.sh test"
    configure_podman
    mkdir -p /run/podman
    launch podman "$state" podman system service --time=0 "unix://$(socket_of podman)"
}

# rootless_answers: does rootless Podman work? After it the user has a namespace, and a service is one process, which a signal
# reaches. (The process that keeps the namespace must keep no lock of ours.)
rootless_answers() {
    engine_cli podman-rootless ps >/dev/null 2>&1 9>&-
}

start_podman_rootless() {
    have podman || die "podman is not installed: run scripts/setup.sh test"
    configure_podman
    if ! id -u "$test_user" >/dev/null 2>&1; then
        say "podman-rootless: creating the ordinary user $test_user"
        useradd --create-home --shell /bin/bash "$test_user"
    fi
    local uid home runtime_dir storage device
    uid=$(id -u "$test_user")
    home=$(getent passwd "$test_user" | cut -d: -f6)
    runtime_dir=/run/user/$uid
    # Left to itself, Podman may choose the driver vfs, which copies every layer.
    storage=$home/.config/containers/storage.conf
    if [ ! -e "$storage" ] && [ ! -e "$home/.local/share/containers/storage" ]; then
        runuser -u "$test_user" -- mkdir -p "$(dirname "$storage")"
        printf '[storage]\ndriver = "overlay"\n' | runuser -u "$test_user" -- tee "$storage" >/dev/null
    fi
    if ! grep -q "^$test_user:" /etc/subuid; then
        usermod --add-subuids 200000-265535 --add-subgids 200000-265535 "$test_user"
    fi
    for device in /dev/net/tun /dev/fuse; do
        if [ -e $device ] && [ "$(stat -c %a $device)" != 666 ]; then
            say "podman-rootless: opening $device to ordinary users (its usual mode is 666)"
            chmod 666 $device
        fi
    done
    if [ "$(findmnt -n -o PROPAGATION /)" != shared ]; then
        say "podman-rootless: making the mount / shared (as systemd does)"
        mount --make-rshared /
    fi
    if runs_systemd && have loginctl; then
        loginctl enable-linger "$test_user" || true
    fi
    install -d -o "$test_user" -g "$test_user" -m 700 "$runtime_dir" "$runtime_dir/podman"
    rm -f "$(socket_of podman-rootless)"
    # Where /run outlives its processes, Podman looks in vain for the containers that ran; this ends them in its books, too.
    if ! rootless_answers; then
        say "podman-rootless: its containers have lost their processes (podman system migrate)"
        engine_cli podman-rootless system migrate >&2
        rootless_answers || engine_cli podman-rootless ps >&2
    fi
    launch podman-rootless "$home" runuser -u "$test_user" -- env -i HOME="$home" USER="$test_user" LOGNAME="$test_user" \
        PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin XDG_RUNTIME_DIR="$runtime_dir" \
        podman system service --time=0 "unix://$(socket_of podman-rootless)"
}

start() {
    local engine
    for engine in "$@"; do
        if running "$engine"; then
            echo "$engine: answers on $(socket_of "$engine")"
            continue
        fi
        is_root || die "$engine does not answer, and only root can start it: sudo $0 start $engine"
        have curl || die "curl is not installed: run scripts/setup.sh test"
        mkdir -p "$state"
        # Two callers at once start one service.
        exec 9>"$state/lock"
        flock 9
        if ! running "$engine"; then
            rm -f "$state/$engine.pid"
            "start_${engine//-/_}"
            await "$engine"
        fi
        exec 9>&-
        echo "$engine: started on $(socket_of "$engine")"
    done
}

stop() {
    local engine pid deadline
    for engine in "$@"; do
        if ! pid=$(ours "$engine"); then
            echo "$engine: not started by this script"
            continue
        fi
        kill "$pid"
        deadline=$((SECONDS + wait_seconds))
        while [ -d "/proc/$pid" ] && [ $SECONDS -lt $deadline ]; do
            sleep 0.1
        done
        [ ! -d "/proc/$pid" ] || die "$engine (process $pid) did not end within $wait_seconds s"
        rm -f "$state/$engine.pid"
        echo "$engine: stopped"
    done
}

status() {
    local engine version
    for engine in "$@"; do
        if running "$engine"; then
            version=$(curl -s -m 5 --unix-socket "$(socket_of "$engine")" http://engine/version |
                sed -n 's/^.*"Version":"\([^"]*\)","ApiVersion".*$/\1/p;t;s/^.*"Version":"\([^"]*\)".*$/\1/p')
            echo "$engine: answers on $(socket_of "$engine")${version:+, version $version}"
        else
            echo "$engine: does not answer"
        fi
    done
}

print_env() {
    local engine name
    for engine in docker podman podman-rootless; do
        if running "$engine"; then
            name=${engine//-/_}
            echo "export SAGE_TEST_${name^^}_HOST=unix://$(socket_of "$engine")"
        fi
    done
}

[ $# -ge 1 ] || usage
action=$1
shift
[ $# -gt 0 ] || set -- docker podman podman-rootless
for engine in "$@"; do
    case $engine in docker | podman | podman-rootless) ;; *) usage ;; esac
done
case $action in
    start) start "$@" ;;
    stop) stop "$@" ;;
    status) status "$@" ;;
    env) print_env ;;
    *) usage ;;
esac
