#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL of the harness at seeded random moments: nothing finished is lost, nothing is left, and the
# run goes on to the same end. tests/reliability/soak does this for longer.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"
# shellcheck source=tests/reliability/kill.bash
. "$SRCDIR/tests/reliability/kill.bash"

kill_seed=${SEED:-1}

# moments COUNT SPEC...
moments() {
    local count=$1 i problems
    shift
    if ! kill_prepare "$@"; then
        skip "$* cannot run here: $(tail -n 1 "$SCRATCH/ref-$kill_name.err")" "$count"
        return
    fi
    for ((i = 1; i <= count; i++)); do
        # Not in a subshell: it draws the next moment.
        kill_once "$i" >"$SCRATCH/problems"
        problems=$(<"$SCRATCH/problems")
        is "$problems" "" "$*: killed $kill_moment ($kill_phase)"
    done
}

moments 8 mock:label=a mock:label=b
moments 4 host
moments 4 host container
moments 4 microguest
moments 2 uml
moments 4 "command:exec=sh -c '{agent} --data {data}; true'"

done_testing
