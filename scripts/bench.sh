#!/usr/bin/env bash
# Measures what Sage adds to each engine that answers; see bench/start. SAGE_TEST_ENGINES names the engines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

engines=$(scripts/engines.sh env)
eval "$engines"
for engine in ${SAGE_TEST_ENGINES//,/ }; do
    host=${engine//-/_}
    host=SAGE_TEST_${host^^}_HOST
    bin/sage build --runtime "${engine%-rootless}" --runtime-host "${!host}" --build-arg VNC_SERVER=tigervnc desktop >&2
done
exec go run -tags "remote exclude_graphdriver_btrfs containers_image_openpgp" ./bench/start
