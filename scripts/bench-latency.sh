#!/usr/bin/env bash
# Measures how long VNC servers take from a key to a picture; see bench/latency. Arguments go to the program: -help names
# them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec go run -tags "remote exclude_graphdriver_btrfs containers_image_openpgp" ./bench/latency "$@"
