#!/usr/bin/env bash
# Measures the stream gateway beside what else can stand between a viewer and a VNC server; see bench/stream. Arguments
# go to the program: -help names them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec go run -tags "remote exclude_graphdriver_btrfs containers_image_openpgp" ./bench/stream "$@"
