#!/usr/bin/env bash
# Runs every Go test on the engines that answer, and says at the end which engines were really used.
# It is what `make test` ends with; SAGE_TEST_ENGINES names the engines that must be there.
#
#   scripts/test.sh [ARGUMENTS OF go test]      without any: every package
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tags="remote exclude_graphdriver_btrfs containers_image_openpgp"
report=${SAGE_TEST_REPORT:-$PWD/.cache/engines-used}
mkdir -p "$(dirname "$report")"
rm -f "$report"
export SAGE_TEST_REPORT=$report SAGE_TEST_BINARY=$PWD/bin/sage SAGE_TEST_QUADLET=$PWD/.cache/quadlet
engines=$(scripts/engines.sh env)
eval "$engines"

status=0
go vet -tags "$tags" ./... || status=$?
# One package at a time: the tests on real engines measure idle times, and there may be two cores only.
all=$#
[ $# -gt 0 ] || set -- -timeout 80m ./...
go test -tags "$tags" -p 1 "$@" || status=$?
# The engines of people who have newer machines.
if [ "$all" -eq 0 ] && [ "$(id -u)" -eq 0 ]; then
    for engine in docker podman; do
        SAGE_NEWEST_IMAGES="localhost/sage/desktop:latest localhost/sage/firefox:latest" \
            scripts/newest-engine.sh $engine go test -tags "$tags" -p 1 -count 1 -run 'Conformance|Pull|Outage|NewestEngine' ./runtime/$engine ./e2e || status=$?
    done
fi
echo
echo "engines that were really used:"
sort -u "$report" 2>/dev/null || echo "none"
exit $status
