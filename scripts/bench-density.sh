#!/usr/bin/env bash
# Measures what quiet streams cost the gateway; see bench/density. Arguments go to the program: -help names
# them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec go run -tags "remote exclude_graphdriver_btrfs containers_image_openpgp" ./bench/density "$@"
